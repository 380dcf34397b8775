"""A hundred recorded samples per problem, from answers to pass@k, against exact rationals from the verdicts."""

import json
from collections import Counter
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.compare import compare_command
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.report import score_runs
from turnwise.records.choices import Over
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import RunSettings
from turnwise.runners.execution.interface import Executor
from turnwise.runners.loading import Machine, load_task
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.prompts import PromptSet

SAMPLES = 100
TASK = TASKS["humaneval_plus_singleturn"]
# By their folder, two models whose single answers to the same problems are recorded.
OTHERS = {"gpt-4": ("gpt-4*", "single-turn"), "qwen": ("QwenCoder480b", "*/Direct")}
# Problems that some of the samples solve, so that pass@1, pass@10 and pass@100 differ.
FEW = tuple(f"humaneval_plus/HumanEval/{number}" for number in (0, 12))

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.xdist_group("humaneval_plus")]


@pytest.fixture
def machine(executor: Executor, cache_dir: Path, data_dir: Path) -> Machine:
    """Two workers, and the real data."""
    return Machine(executor, cache_dir, data_dir=data_dir, workers=2)


def _exact(right: dict[str, int], k: int) -> float:
    """Return the mean of 1 - C(100 - c, k) / C(100, k), as a rational until the end."""
    each = [1 - Fraction(comb(SAMPLES - count, k), comb(SAMPLES, k)) for count in right.values()]
    return float(sum(each) / len(each))


def _replay(names: tuple[str, ...], sampler: ReplaySampler, machine: Machine, output: Path, **options: Any) -> Path:
    settings = RunSettings(samples={TASK.name: names} if names else {}, **options)
    loaded = load_task(TASK, settings, machine)
    sample(Job([loaded], sampler, settings, PromptSet.load()), machine, output=output)
    return output


def _check_places(names: tuple[str, ...], data_dir: Path, machine: Machine, runs: Path) -> list[dict[str, Any]]:
    """Compare the run ``samples100`` with two recorded models that answered once; return the three ranks by pass@1."""
    for folder, (model, method) in OTHERS.items():
        answers = data_dir / "recorded" / "humaneval.jsonl.gz"
        sampler = ReplaySampler(answers, benchmarks=[TASK.benchmark.name], model=model, method=method)
        _replay(names, sampler, machine, runs / folder)
    print(compare_command([runs / "samples100", *(runs / folder for folder in OTHERS)]))
    document = json.loads(compare_command([runs / "samples100", *(runs / one for one in OTHERS)], as_json=True))
    (ranking,) = document["tasks"][TASK.name]
    assert ranking["metric"] == "pass@1"
    ranks: list[dict[str, Any]] = ranking["ranks"]
    order = sorted(ranks, key=lambda rank: -rank["value"])
    assert all(rank["best"] <= place <= rank["worst"] for place, rank in enumerate(order, start=1))
    return ranks


def _check(names: tuple[str, ...], data_dir: Path, machine: Machine, output: Path, *, prefill: bool) -> None:
    sampler = ReplaySampler(data_dir / "recorded" / "humaneval_samples100.jsonl.gz", benchmarks=[TASK.benchmark.name])
    _replay(names, sampler, machine, output, samples_per_problem=SAMPLES, prefill=prefill)
    answered = {one.problem for one in RunFolder(output).trajectories(TASK.name) if not one.is_missing}
    right = Counter(dict.fromkeys(answered, 0))
    for line in (output / "verdicts" / "main.jsonl").read_text().splitlines():
        verdict = json.loads(line)
        right[verdict["problem"]] += verdict["verdict"] == "passed"
    (scored,) = score_runs(read_runs([output]))
    values = {one.metric: one.value for one in scored.estimates if one.group == "all"}
    assert values == {f"pass@{k}": pytest.approx(_exact(right, k), abs=1e-12) for k in (1, 10, 100)}
    assert 0 < _exact(right, 1) < _exact(right, 100)
    of_samples = {one.metric: one.intervals.get(Over.SAMPLES) for one in scored.estimates if one.group == "all"}
    for metric in ("pass@1", "pass@10"):
        interval, value = of_samples[metric], values[metric]
        assert interval is not None and value is not None and interval.lower < value < interval.upper
    assert of_samples["pass@100"] is None
    same = json.loads(compare_command([output, output], over=Over.SAMPLES, as_json=True))["tasks"][TASK.name]
    assert {one["metric"]: (one["difference"], one["p_value"]) for one in same} == dict.fromkeys(values, (0.0, 1.0))


@pytest.mark.parametrize(("names", "prefill"), [(FEW, False), pytest.param(FEW[1:], True, marks=pytest.mark.long)])
def test_pass_at_k_of_a_hundred_samples_is_exact(
    names: tuple[str, ...], prefill: bool, data_dir: Path, machine: Machine, tmp_path: Path
) -> None:
    """Whole answers and continuations of the stub alike: k = 1, 10 and 100, from the verdicts on two problems."""
    _check(names, data_dir, machine, tmp_path / "samples100", prefill=prefill)
    if not prefill:  # two problems put nobody before another
        ranks = _check_places(names, data_dir, machine, tmp_path)
        assert [(rank["best"], rank["worst"]) for rank in ranks] == [(1, 3)] * 3


@pytest.mark.long
def test_pass_at_k_of_all_problems_is_exact(data_dir: Path, machine: Machine, tmp_path: Path) -> None:
    """The same for the 94 problems with recorded samples; the four without are left out, not wrong. Last of three."""
    _check((), data_dir, machine, tmp_path / "samples100", prefill=False)
    (scored,) = score_runs(read_runs([tmp_path / "samples100"]))
    of_all = {one.metric: one for one in scored.estimates if one.group == "all"}
    assert {(one.counted, one.asked) for one in of_all.values()} == {(94, 98)}
    values = {name: round(one.value or 0.0, 4) for name, one in of_all.items()}
    assert values == {"pass@1": 0.1713, "pass@10": 0.4399, "pass@100": 0.7021}
    ranks = _check_places((), data_dir, machine, tmp_path)
    assert [(rank["best"], rank["worst"]) for rank in ranks] == [(3, 3), (2, 2), (1, 1)]
