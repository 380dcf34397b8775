"""The request type of our tasks: whole dialogues, turn by turn over ``generate_until``.

lm_eval calls the method of its model that a request is named after, once with the requests of all tasks.
``teach`` gives its LM class that method. Each dialogue comes back as one line of JSON, a trajectory.
"""

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from turnwise.commands.machine import show_progress
from turnwise.harness.model import LmSampler
from turnwise.harness.options import Options
from turnwise.harness.replies import open_replies
from turnwise.harness.sentences import one_sentence
from turnwise.records.codec import to_line
from turnwise.records.problem import Problem
from turnwise.records.report import Environment
from turnwise.runners.diagnosis import check_machine
from turnwise.runners.drivers import run_in_lockstep
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.host import need_descriptors
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.judging.expected import default_cache_dir
from turnwise.runners.judging.judge import Judge
from turnwise.runners.judging.verdicts import SharedCache
from turnwise.runners.loading import Machine
from turnwise.runners.machines import check_cache_dir, usable_cores
from turnwise.tasks.dialogue import Dialogue, DialoguePlan, dialogue_seed

REQUEST_TYPE = "generate_multiturn"
_LOGGER = logging.getLogger("lm_eval.turnwise")


@dataclass(frozen=True, slots=True)
class TaskWork:
    """What the driver needs of a task besides the model: its dialogues' plan, problems by id, options.

    ``generation`` are lm_eval's generation options, ``seed`` the run's (None: the server draws its own).
    """

    plan: DialoguePlan
    problems: Mapping[str, Problem]
    options: Options
    generation: Mapping[str, object]
    seed: int | None
    chat: bool
    environment: Environment


def teach(model_class: object) -> None:
    """Give lm_eval's base class of models the method that our requests are named after."""
    setattr(model_class, REQUEST_TYPE, generate_multiturn)


def generate_multiturn(model: Any, requests: Sequence[Any]) -> list[str]:
    """Return the trajectory of each request as a line of JSON, "" for those that only pad a rank's batch.

    A request stands there once a sample; ``request.work`` is its TaskWork, ``request.problem`` the problem's id.
    """
    samples: Counter[int] = Counter()
    dialogues: dict[int, list[tuple[int, Dialogue]]] = {}
    works: dict[int, TaskWork] = {}
    for place, request in enumerate(requests):
        sample = samples[id(request)]
        samples[id(request)] += 1
        if sample < request.repeats:
            work: TaskWork = request.work
            works[id(work)] = work
            dialogue = Dialogue(work.problems[request.problem], sample, work.plan)
            dialogues.setdefault(id(work), []).append((place, dialogue))
    lines = [""] * len(requests)
    for number, work in works.items():
        placed = dialogues[number]
        with one_sentence():
            _carry(model, work, [dialogue for _, dialogue in placed])
        for place, dialogue in placed:
            seed = 0 if work.seed is None else dialogue_seed(work.seed, "", dialogue.sample, 0, 0)
            lines[place] = to_line(replace(dialogue.trajectory(), seed=seed))
    return lines


def _carry(model: object, work: TaskWork, dialogues: Sequence[Dialogue]) -> None:
    with open_replies(model) as kept:
        sampler = LmSampler(model, work.generation, chat=work.chat, seed=work.seed, kept=kept)
        with open_judge(work.options) as judge:
            run_in_lockstep(dialogues, sampler, judge)
    missing = sum(dialogue.trajectory().is_missing for dialogue in dialogues)
    if missing:
        reason = sampler.first_error or "the machine failed while judging"
        said = (work.plan.task, missing, len(dialogues), reason)
        _LOGGER.warning("%s: %d of %d dialogues are missing, which is not wrong; the first reason: %s", *said)


@contextmanager
def open_machine(options: Options) -> Iterator[Machine]:
    """Yield the machine of a task, its sandbox open; raises InfrastructureError where programs could escape."""
    environ = dict(os.environ)
    workers = options.workers or max(1, usable_cores() // int(environ.get("LOCAL_WORLD_SIZE") or 1))
    cache_dir = check_cache_dir(default_cache_dir(environ))
    with show_progress() as on_progress:
        executor = _sandbox(options.judge.interpreter, workers)
        with Checkers() as checkers:
            yield Machine(executor, cache_dir, options.data_dir, environ, workers, on_progress, checkers=checkers)


@lru_cache(maxsize=1)
def _sandbox(interpreter: str, workers: int) -> HardenedExecutor:
    """Return the one sandbox of this process, whose tasks share it; it ends with the process, or for another one."""
    need_descriptors(2 * workers)  # of programs and of checkers
    executor = HardenedExecutor(interpreter)
    for advice in check_machine(executor, workers=workers, environ=dict(os.environ)):
        print(f"turnwise: {advice}", file=sys.stderr, flush=True)
    return executor


@contextmanager
def open_judge(options: Options) -> Iterator[Judge]:
    """Yield a judge with the user's cache of verdicts."""
    with ExitStack() as stack:
        machine = stack.enter_context(open_machine(options))
        cache = SharedCache(machine.cache_dir / "verdicts")
        stack.callback(cache.close)
        judge = machine.open_judge(options.judge, cache)
        stack.callback(judge.close)
        yield judge
