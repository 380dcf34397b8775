"""Recorded pass counts of 31 models on 69 problems: scored, compared, and given the places they can have."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turnwise.commands.compare import compare_command
from turnwise.commands.exchange import import_command
from turnwise.exchange.imported import Options
from turnwise.leaderboard.comparison import between_samples, deal_samples, flip_pairs, flip_problems, rank_models
from turnwise.leaderboard.estimators import Counts, value_of
from turnwise.leaderboard.intervals import bca, jackknife
from turnwise.leaderboard.noise import CONCENTRATION, CORRELATION

pytestmark = pytest.mark.data


@dataclass(frozen=True)
class Recorded:
    """The models and problems in order of their names, and the counts of each on the same problems."""

    models: list[str]
    problems: list[str]
    counts: list[Counts]

    def of(self, model: str) -> Counts:
        """Return the counts of a model."""
        return self.counts[self.models.index(model)]


@pytest.fixture(scope="module")
def evalperf(recorded: Callable[[str], list[dict[str, Any]]]) -> Recorded:
    """The counts from the recorded percentages, which are whole numbers of samples."""
    rows = sorted(recorded("recorded/evalperf_counts.jsonl.gz"), key=lambda row: (row["model"], row["task_id"]))
    models = sorted({row["model"] for row in rows})
    problems = sorted({row["task_id"] for row in rows})
    assert [(row["model"], row["task_id"]) for row in rows] == [(m, p) for m in models for p in problems]
    samples = np.array([row["n"] for row in rows]).reshape(len(models), len(problems))
    right = samples * np.array([row["pass@1_percent"] for row in rows]).reshape(samples.shape) / 100
    assert np.array_equal(right, np.round(right))
    return Recorded(models, problems, [Counts(n, c, c) for n, c in zip(samples, right.astype(np.int64), strict=True)])


def test_every_model_is_scored_with_both_intervals(evalperf: Recorded) -> None:
    """pass@1 and pass@10 lie in both; at k = 1 that over problems is more than twice as wide, and holds the other."""
    assert (len(evalperf.models), len(evalperf.counts[0])) == (31, 69)
    for model, counts in zip(evalperf.models, evalperf.counts, strict=True):
        values = value_of(counts, n=None, drawn=np.array([1, 10]))
        over_problems = bca(values, generator=np.random.default_rng(0))
        for k, score, outer in zip((1, 10), values.mean(axis=0), over_problems, strict=True):
            inner = jackknife(counts, n=None, drawn=k)
            assert inner is not None and outer is not None
            assert inner.lower <= score <= inner.upper and outer.lower <= score <= outer.upper, (model, k)
            if k == 1:
                assert outer.lower < inner.lower and inner.upper < outer.upper, model
                assert outer.upper - outer.lower > 2 * (inner.upper - inner.lower), model


def test_the_places_of_the_models(evalperf: Recorded) -> None:
    """Every model's own place is within its interval; no winner can be named from 69 problems."""
    values = np.stack([value_of(counts, n=None, drawn=1) for counts in evalperf.counts])
    ranks = rank_models(values, flip_pairs(values, generator=np.random.default_rng(0)))
    order = np.argsort(-values.mean(axis=1), kind="stable")
    for place, model in enumerate(order, start=1):
        rank = ranks[model]
        print(f"{place:2} {100 * rank.value:5.1f}  {rank.best:2} to {rank.worst:2}  {evalperf.models[model]}")
        assert rank.best <= place <= rank.worst
    best, worst = ranks[order[0]], ranks[order[-1]]
    assert (evalperf.models[order[0]], best.best) == ("deepseek-chat-v3", 1)
    assert best.worst >= 10
    assert (evalperf.models[order[-1]], worst.worst) == ("meta-llama/Meta-Llama-3-8B-Instruct", 31)
    assert worst.best >= 20


def test_two_models_differ_on_these_problems_and_not_on_others_like_them(evalperf: Recorded) -> None:
    """Qwen2.5 32B and 72B: 2.3 points are many standard errors over samples and well within chance over problems."""
    first, second = evalperf.of("Qwen/Qwen2.5-72B-Instruct"), evalperf.of("Qwen/Qwen2.5-32B-Instruct")
    generator = np.random.default_rng(0)
    difference = value_of(second, n=None, drawn=1) - value_of(first, n=None, drawn=1)
    assert difference.mean() == pytest.approx(0.023, abs=0.001)
    over_samples = between_samples(first, second, n=None, drawn=1)
    (over_problems,) = bca(difference[:, None], generator=generator, signed=True)
    assert over_samples is not None and over_problems is not None
    assert over_samples.lower > 0 and over_problems.lower < 0 < over_problems.upper
    assert deal_samples(first, second, n=None, drawn=1, generator=generator) < 0.001
    assert flip_problems(difference[:, None], generator=generator)[0] > 0.05


def test_the_noise_report_assumes_what_these_models_show(evalperf: Recorded) -> None:
    """Median concentration of the problems' scores 0.81, median correlation of two models 0.46."""
    values = np.stack([value_of(counts, n=None, drawn=1) for counts in evalperf.counts])
    samples = np.stack([counts.samples for counts in evalperf.counts])
    between = values.var(axis=1, ddof=1) - (values * (1 - values) / (samples - 1)).mean(axis=1)
    means = values.mean(axis=1)
    concentration = float(np.median(means * (1 - means) / between - 1))
    correlation = float(np.median(np.corrcoef(values)[np.triu_indices(len(values), 1)]))
    print(f"concentration {concentration:.2f}, correlation {correlation:.2f}")
    assert concentration == pytest.approx(CONCENTRATION, abs=0.25)
    assert correlation == pytest.approx(CORRELATION, abs=0.05)


# Of one family, the three sizes of another, and one far below: places that overlap and places that do not.
SHOWN = (
    "Qwen/Qwen2.5-72B-Instruct",
    "Qwen/Qwen2.5-32B-Instruct",
    "deepseek-ai/deepseek-coder-33b-instruct",
    "mistralai/Mistral-Nemo-Instruct-2407",
    "meta-llama/Meta-Llama-3-8B-Instruct",
)


def test_imported_counts_have_the_same_places_by_command(
    recorded: Callable[[str], list[dict[str, Any]]], evalperf: Recorded, data_dir: Path, tmp_path: Path
) -> None:
    """As results of evalplus, imported: ``turnwise compare`` gives five models the places that their counts have."""
    paths = []
    for model in SHOWN:
        file = tmp_path / f"{model.replace('/', '--')}_vllm_temp_1.0_eval_results.json"
        file.write_text(json.dumps({"eval": _as_results(recorded, model)}))
        paths.append(tmp_path / "runs" / model)
        options = Options("evalplus", "mbpp_plus_singleturn", data_dir=data_dir, allow_missing=True)
        import_command([file], options, paths[-1], environ={}, arguments=[])
    document = json.loads(compare_command(paths, as_json=True))
    pass_at_1 = next(one for one in document["tasks"]["mbpp_plus_singleturn"] if one["metric"] == "pass@1")
    mbpp = np.array([problem.startswith("Mbpp/") for problem in evalperf.problems])
    values = np.stack([value_of(evalperf.of(model).rows(mbpp), n=None, drawn=1) for model in SHOWN])
    expected = rank_models(values, flip_pairs(values, generator=np.random.default_rng(0)))
    assert pass_at_1["problems"] == mbpp.sum() == 54
    assert [(one["best"], one["worst"]) for one in pass_at_1["ranks"]] == [(one.best, one.worst) for one in expected]
    assert [one["value"] for one in pass_at_1["ranks"]] == pytest.approx([one.value for one in expected])
    print(compare_command(paths))


def _as_results(recorded: Callable[[str], list[dict[str, Any]]], model: str) -> dict[str, list[dict[str, str]]]:
    """Return a model's counts as evalplus's results; the programs themselves are not recorded."""
    rows = [row for row in recorded("recorded/evalperf_counts.jsonl.gz") if row["model"] == model]
    results = {}
    for row in rows:
        if row["task_id"].startswith("Mbpp/"):
            right = round(row["n"] * row["pass@1_percent"] / 100)
            statuses = ["pass"] * right + ["fail"] * (row["n"] - right)
            results[row["task_id"]] = [
                {"solution": f"# {number}\n", "base_status": status, "plus_status": status}
                for number, status in enumerate(statuses)
            ]
    return results
