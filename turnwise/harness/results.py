"""What lm_eval is told of a run: a number a problem and metric, and settings enough to read the run back.

From the dialogues of a task: hidden tests in parallel, then our estimators.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import turnwise
from turnwise.errors import TurnwiseError
from turnwise.exchange.lm_eval import TaskHeader
from turnwise.exchange.problem_values import problem_values
from turnwise.leaderboard.outcomes import tally
from turnwise.records.codec import RecordError, from_json, to_json
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.problem import Problem
from turnwise.records.report import Environment, Verdict
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import GEN_KWARGS, JudgeSettings, PromptsRecord, RunSettings, Sampling
from turnwise.records.trajectory import Trajectory
from turnwise.runners.judging.judge import Judge, JudgeRequest, judge_record
from turnwise.runners.loading import LoadedTask
from turnwise.runners.work import judgement_of
from turnwise.tasks.prompts import PromptSet

# lm_eval's names of ours.
LM_EVAL_NAMES = {option.setting: name for name, option in GEN_KWARGS.items()}


def sampling_of(generation: Mapping[str, Any]) -> Sampling:
    """Return how the model was told to sample, from lm_eval's names; raises TurnwiseError for what is no value."""
    others = {name: value for name, value in generation.items() if name not in LM_EVAL_NAMES.values()}
    told = {name: generation.get(of_lm_eval) for name, of_lm_eval in LM_EVAL_NAMES.items()}
    stop = told["stop"] or []
    told["stop"] = [stop] if isinstance(stop, str) else stop
    try:
        return from_json(Sampling, {**told, "others": others})
    except RecordError as error:
        name, _, reason = str(error).partition(": ")
        raise TurnwiseError(
            f"--gen_kwargs {LM_EVAL_NAMES.get(name, name)} is nothing to sample by ({reason}): mend it."
        ) from None


def header_of(
    loaded: LoadedTask,
    settings: RunSettings,
    environment: Environment,
    judge: JudgeSettings,
    prompts: PromptSet,
    generation: Mapping[str, Any],
) -> dict[str, object]:
    """Return run.json's parts for one task (``loaded.asked``: what all ranks were asked).

    ``generation`` is how the model was told to sample, in lm_eval's names.
    """
    header = TaskHeader(
        turnwise.__version__,
        replace(settings, sampling=sampling_of(generation)),
        judge_record(environment, judge),
        PromptsRecord(prompts.name, dict(prompts.hashes)),
        loaded.to_record(settings),
    )
    data: dict[str, object] = to_json(header)
    return data


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
