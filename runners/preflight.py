"""What can be known of a run before it is paid for: its first prompts, its size, and (calibrated) its cost.

    prompts = count_first_prompts(job, counter, reply_limit=job.settings.sampling.max_tokens)
    estimate = estimate_run(job, prompts, calibrate(job, machine, dialogues=8))

Rendering and counting ask no model and run no program. A calibration carries a few dialogues, spread over the plan,
to their ends and keeps nothing but the expected outputs of their problems.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from turnwise.records.problem import Problem
from turnwise.records.trajectory import Trajectory
from turnwise.runners.drivers import drive, run_asynchronously
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.judging.expected import resolve_expected
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.runners.models.chat import TokenCounter
from turnwise.runners.sampling import Job
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan
from turnwise.tasks.plan import strategy_of

_RECORD_BYTES = 3000  # of a turn in a trajectory, besides what was said: prompts, public report
_REPLY_TOKENS = 1000  # where no limit is given


@dataclass(frozen=True, slots=True)
class FirstPrompts:
    """The first prompts of all tasks: tokens of each, and the problem of each that leaves too few for a reply.

    ``tokens`` are by task and problem id, since two tasks may ask one problem; ``reply_limit`` is how many tokens a
    reply may have, None where nothing limits it.
    """

    tokens: dict[tuple[str, str], int]
    too_long: tuple[str, ...]
    characters: int
    is_exact: bool
    max_length: int | None
    reply_limit: int | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a few dialogues took: one entry per dialogue, seconds of the whole, and how many were missing."""

    calls: tuple[int, ...]
    prompt_tokens: tuple[int, ...]
    completion_tokens: tuple[int, ...]
    seconds: float
    missing: int

    @property
    def tokens_per_second(self) -> float:
        """Completion tokens a second, with as many requests in flight as there were dialogues."""
        return sum(self.completion_tokens) / self.seconds


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate between bounds."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The size of a run: dialogues, calls, tokens, bytes on the disk; None where nothing is known."""

    dialogues: int
    calls: Range
    prompt_tokens: Range | None
    completion_tokens: Range | None
    disk_bytes: int


def count_first_prompts(job: Job, counter: TokenCounter, *, reply_limit: int | None) -> FirstPrompts:
    """Render and count the first prompt of every problem that ``job`` asks; ``reply_limit`` in tokens."""
    reply = reply_limit or 1
    tokens, characters = {}, 0
    too_long: list[str] = []
    for loaded, problem in _asked(job):
        step = Dialogue(problem, 0, job.plan_of(loaded)).next_step()
        if not isinstance(step, Ask):
            raise TypeError("a dialogue begins with a request")
        length = tokens[loaded.task.name, problem.id] = counter.count(step.messages)
        characters += sum(len(message.content) for message in step.messages)
        if counter.max_length is not None and length + reply > counter.max_length:
            too_long.append(problem.id)
    return FirstPrompts(tokens, tuple(too_long), characters, counter.is_exact, counter.max_length, reply_limit)


def calibrate(job: Job, machine: Machine, *, dialogues: int) -> Calibration:
    """Carry ``dialogues`` of the plan, spread over its problems, to their ends."""
    asked = list(_asked(job))
    chosen = [asked[number * len(asked) // dialogues] for number in range(min(dialogues, len(asked)))]
    problems = resolve_expected(
        [problem for _, problem in chosen], machine.executor, cache_dir=machine.cache_dir, workers=machine.workers
    )
    items = [(problem, job.plan_of(loaded)) for (loaded, _), problem in zip(chosen, problems, strict=True)]
    judge = Judge(machine.executor, matcher=job.judge.matcher, workers=machine.workers, checkers=machine.checkers)
    try:
        begun = time.monotonic()
        with InterruptibleRunner() as runner:
            found = runner.run(_carry_all(items, job, judge))
        seconds = time.monotonic() - begun
    finally:
        judge.close()
    ended = [one for one in found if not one.is_missing]
    calls = [[call for turn in one.turns for call in turn.calls] for one in ended]
    return Calibration(
        tuple(map(len, calls)),
        tuple(sum(call.reply.prompt_tokens or 0 for call in one) for one in calls),
        tuple(sum(call.reply.completion_tokens or 0 for call in one) for one in calls),
        seconds,
        len(found) - len(ended),
    )


def estimate_run(job: Job, prompts: FirstPrompts, calibration: Calibration | None) -> Estimate:
    """Return the size of ``job``; without a calibration, bounds from the turn limits and the token limit."""
    samples, settings = job.settings.samples_per_problem, job.settings
    least = most = turns = 0
    for loaded in job.tasks:
        plan = [1 + bool(turn.reasoning) for turn in strategy_of(settings, loaded.task).turns]
        count = samples * len(loaded.asked)
        least, most, turns = least + count * plan[0], most + count * sum(plan), turns + count * len(plan)
    dialogues = samples * len(prompts.tokens)
    limit = prompts.reply_limit
    disk = samples * prompts.characters + turns * (_RECORD_BYTES + 4 * (limit or _REPLY_TOKENS))
    if calibration is not None and calibration.calls:
        means = [calibration.calls, calibration.prompt_tokens, calibration.completion_tokens]
        calls, asked, answered = (_scaled(values, dialogues) for values in means)
        return Estimate(dialogues, calls, asked, answered, disk)
    first = samples * sum(prompts.tokens.values())
    answered_at_most = None if limit is None else Range(0, most * limit)
    return Estimate(dialogues, Range(least, most), Range(first, math.inf), answered_at_most, disk)


def _scaled(values: Sequence[int], dialogues: int) -> Range:
    """Return the mean of ``values`` for all dialogues, plus and minus two standard errors."""
    mean = fmean(values)
    spread = 2 * stdev(values) / math.sqrt(len(values)) if len(values) > 1 else mean
    return Range(max(0.0, mean - spread) * dialogues, (mean + spread) * dialogues)


async def _carry_all(items: Sequence[tuple[Problem, DialoguePlan]], job: Job, judge: Judge) -> list[Trajectory]:
    async def carry(item: tuple[Problem, DialoguePlan]) -> Trajectory:
        dialogue = Dialogue(item[0], 0, item[1])
        await drive(dialogue, job.sampler, judge)
        return dialogue.trajectory()

    try:
        return [one async for one in run_asynchronously(items, carry, concurrency=lambda: len(items))]
    finally:
        await job.sampler.close()


def _asked(job: Job) -> Iterator[tuple[LoadedTask, Problem]]:
    for loaded in job.tasks:
        for problem in loaded.asked:
            yield loaded, problem
