"""A model whose chance of repair depends on the feedback: what is measured is what the chances say."""

from contextlib import closing
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from synthetic import SyntheticSampler

from turnwise.leaderboard.outcomes import read_outcomes
from turnwise.records.codec import to_line
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import FEEDBACK_KINDS, NONE, RunSettings
from turnwise.runners.drivers import run_in_lockstep
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import Machine, load_decoys, load_task
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.behaviour import measure, ratio
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.dialogue import Dialogue
from turnwise.tasks.prompts import PromptSet

TASK = TASKS["sample_codecontests_multiturn"]
FIRST = 0.25
REPAIR = dict(zip(FEEDBACK_KINDS, (0.1, 0.5, 0.6, 0.7, 0.2, 0.05), strict=True))
SAMPLES = 120


@pytest.mark.parametrize("kind", ["ldb", "random"])
def test_both_drivers_carry_every_kind_of_feedback(executor: Executor, tmp_path: Path, kind: str) -> None:
    """Asynchronously or in lockstep: the same dialogues, with traces and other problems' programs."""
    settings = RunSettings(samples_per_problem=4, feedback=kind)
    machine = Machine(executor, tmp_path / "cache", workers=2)
    loaded = load_task(TASK, settings, machine)
    sampler = SyntheticSampler(loaded.asked, first=FIRST, repair=REPAIR)
    decoys = load_decoys([loaded], settings, machine)
    job = Job([loaded], sampler, settings, PromptSet.load(), decoys=decoys)
    sample(job, machine, output=tmp_path / "run")
    driven = list(RunFolder(tmp_path / "run").trajectories(TASK.name))
    dialogues = [Dialogue(one, number, job.plan_of(loaded)) for one in loaded.asked for number in range(4)]
    with closing(machine.open_cache()) as cache:
        run_in_lockstep(dialogues, sampler, Judge(executor, cache=cache))
    assert [to_line(one.trajectory()) for one in dialogues] == [to_line(one) for one in driven]
    told = {message.prompt_id for one in driven for turn in one.turns for message in turn.calls[0].messages}
    assert f"feedback/{kind}" in told


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEEDBACK_KINDS)
def test_solve_rates_by_turn_are_what_the_chances_say(executor: Executor, tmp_path: Path, kind: str) -> None:
    """With feedback 1 - (1 - p)(1 - r)^(t-1) is solved by turn t; without it, whatever the turn's program is."""
    settings = RunSettings(samples_per_problem=SAMPLES, feedback=kind)
    machine = Machine(executor, tmp_path / "cache", workers=2)
    loaded = load_task(TASK, settings, machine)
    sampler = SyntheticSampler(loaded.asked, first=FIRST, repair=REPAIR)
    decoys = load_decoys([loaded], settings, machine)
    assert bool(decoys) is (kind == "random")
    sample(Job([loaded], sampler, settings, PromptSet.load(), decoys=decoys), machine, output=tmp_path / "run")
    (outcomes,) = read_outcomes(tmp_path / "run").tasks
    solved = (outcomes.passed == 1).mean(axis=(0, 1))
    expected = [1 - (1 - FIRST) * (1 - REPAIR[kind]) ** turn for turn in range(3)]
    if kind == NONE:
        expected = [FIRST, REPAIR[kind], REPAIR[kind]]
    dialogues = SAMPLES * len(loaded.asked)
    for rate, chance in zip(solved, expected, strict=True):
        assert abs(rate - chance) < 4 * sqrt(chance * (1 - chance) / dialogues)
    folder = RunFolder(tmp_path / "run")
    behaviour = measure(folder.trajectories(TASK.name), folder.judgements(), similarity=ratio)
    repairs, repairable = (sum(getattr(turn, name) for turn in behaviour.turns) for name in ("repairs", "repairable"))
    deviation = sqrt(REPAIR[kind] * (1 - REPAIR[kind]) / repairable)
    assert abs(repairs / repairable - REPAIR[kind]) < 4 * deviation
    turns = [len(trajectory.turns) for trajectory in folder.trajectories(TASK.name)]
    assert (set(turns) == {3}) if kind == NONE else np.mean(turns) < 3
