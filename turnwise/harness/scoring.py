"""From the dialogues of a task to a number a problem and metric: hidden tests in parallel, then our estimators."""

import math
from collections.abc import Iterator, Mapping, Sequence

from turnwise.exchange.problem_values import problem_values
from turnwise.leaderboard.outcomes import tally
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.problem import Problem
from turnwise.records.report import Verdict
from turnwise.records.run_folder import TaskRecord
from turnwise.records.trajectory import Trajectory
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.work import judgement_of


def judge_all(
    judge: Judge, problems: Mapping[str, Problem], trajectories: Sequence[Trajectory]
) -> dict[Place, Judgement]:
    """Return the judgement on each program that passed the public tests; what the machine spoiled has none."""
    waiting = list(_to_judge(trajectories))
    requests = [JudgeRequest(problems[problem], program) for (_, problem, *_), program in waiting]
    found = {}
    for (place, program), report in zip(waiting, judge.judge_many(requests), strict=True):
        if report.verdict is not Verdict.INFRASTRUCTURE_FAILURE:
            found[place] = judgement_of(place, report, key=judge.key(problems[place[1]], program))
    return found


def score(
    record: TaskRecord,
    trajectories: Sequence[Trajectory],
    judgements: Mapping[Place, Judgement],
    *,
    samples: int,
    n_at_k: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return the known metrics of each problem of ``record``, as ``turnwise score`` estimates them.

    A metric that no problem has is NaN in all, so that it shows, as unknown.
    """
    outcomes = tally(record, trajectories, judgements, samples=samples)
    found: dict[str, dict[str, float]] = {one.id: {} for one in outcomes.problems}
    for metric, of_problems in problem_values(outcomes, trajectories, n_at_k=n_at_k).items():
        is_known = any(value is not None for value in of_problems)
        for problem, value in zip(outcomes.problems, of_problems, strict=True):
            if value is not None or not is_known:
                found[problem.id][metric] = math.nan if value is None else value
    return found


def _to_judge(trajectories: Sequence[Trajectory]) -> Iterator[tuple[Place, str]]:
    for trajectory in trajectories:
        for place, turn in zip(places_of(trajectory), trajectory.turns, strict=True):
            if place is not None and turn.program is not None and turn.public_report.public_passed:
                yield place, turn.program
