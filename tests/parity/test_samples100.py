"""A hundred recorded samples per problem, from answers to pass@k, against exact rationals from the verdicts."""

import json
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest

from turnwise.commands.compare import compare_command
from turnwise.leaderboard.intervals import Over
from turnwise.leaderboard.report import score_runs
from turnwise.runners.execution.interface import Executor
from turnwise.runners.loading import Machine, load_task
from turnwise.runners.replay import ReplaySampler
from turnwise.runners.sampling import Job, sample
from turnwise.runners.settings import RunSettings
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.run_folder import RunFolder

SAMPLES = 100
TASK = TASKS["humaneval_plus_singleturn"]
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


def _check(names: tuple[str, ...], data_dir: Path, machine: Machine, output: Path, *, prefill: bool) -> None:
    settings = RunSettings(samples_per_problem=SAMPLES, prefill=prefill)
    if names:
        settings = replace(settings, samples={TASK.name: names})
    sampler = ReplaySampler(data_dir / "recorded" / "humaneval_samples100.jsonl.gz", benchmarks=[TASK.benchmark])
    loaded = load_task(TASK, settings, machine)
    sample(Job([loaded], sampler, settings, PromptSet.load()), machine, output=output)
    answered = {one.problem for one in RunFolder(output).trajectories(TASK.name) if not one.is_missing}
    right = Counter(dict.fromkeys(answered, 0))
    for line in (output / "verdicts" / "main.jsonl").read_text().splitlines():
        verdict = json.loads(line)
        right[verdict["problem"]] += verdict["verdict"] == "passed"
    (scored,) = score_runs([output])
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


@pytest.mark.parametrize(("names", "prefill"), [(FEW, False), (FEW[1:], True)])
def test_pass_at_k_of_a_hundred_samples_is_exact(
    names: tuple[str, ...], prefill: bool, data_dir: Path, machine: Machine, tmp_path: Path
) -> None:
    """Whole answers and continuations of the stub alike: k = 1, 10 and 100, from the verdicts on two problems."""
    _check(names, data_dir, machine, tmp_path / "run", prefill=prefill)


@pytest.mark.long
def test_pass_at_k_of_all_problems_is_exact(data_dir: Path, machine: Machine, tmp_path: Path) -> None:
    """The same for every problem with recorded samples; the few without are left out, not wrong."""
    _check((), data_dir, machine, tmp_path / "run", prefill=False)
