"""The problems that reinforcement learning asks, and the dialogues of each iteration about them.

>>> problems = TrainingProblems(loaded, settings, prompts)
>>> [dialogue.problem.id for dialogue in problems.dialogues(1, rollouts=4, group=2, seed=0)]
['toy/mul-7', 'toy/mul-7', 'toy/add-3', 'toy/add-3']

An epoch has every problem once, in an order of its own; an iteration goes on where the one before ended. Which decoys
the feedback ``random`` tells, and what a model is seeded with, changes with the iteration. Everything here follows from
the seed, the iteration and the data alone. It asks no model and judges nothing.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from turnwise.errors import TurnwiseError
from turnwise.json_text import json_line
from turnwise.records.problem import TRAINING_SPLIT, Flag, Problem
from turnwise.records.settings import JudgeSettings, RunSettings
from turnwise.runners.loading import LoadedTask, Machine, open_task, resolve_task
from turnwise.runners.verified import VerifiedProblems
from turnwise.tasks.catalog import Task
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.plan import dialogue_plan
from turnwise.tasks.prompts import PromptSet

_NO_DECOYS: Mapping[str, DecoyPool] = {}


class TrainingProblems:
    """The problems of the tasks ``loaded``, with what their dialogues share; ``decoys`` are pools by task.

    Raises TurnwiseError for a task, or a pool, over another split than train.
    """

    def __init__(
        self,
        loaded: Sequence[LoadedTask],
        settings: RunSettings,
        prompts: PromptSet,
        decoys: Mapping[str, DecoyPool] = _NO_DECOYS,
    ) -> None:
        for loaded_task in loaded:
            check_training_task(loaded_task.task)
        for task, pool in decoys.items():
            _check_decoys(task, pool)
        self.loaded = tuple(loaded)
        self.settings = settings
        self.prompts = prompts
        self.decoys = dict(decoys)
        self._tasks = {loaded_task.task.name: loaded_task.task for loaded_task in loaded}
        self._problems = {problem.id: problem for loaded_task in loaded for problem in loaded_task.asked}
        self._pairs = [(loaded_task.task.name, problem) for loaded_task in loaded for problem in loaded_task.asked]

    @property
    def guessed(self) -> frozenset[str]:
        """The ids of problems of which any of several answers is right while equality with one decides.

        What nobody has read, the wording tells (Flag.GUESSED_KIND): so it is with every problem of a train split. Those
        whose wording does not tell are not among them.
        """
        return frozenset(
            problem.id
            for _, problem in self._pairs
            if Flag.MULTIPLE_ANSWERS in problem.flags and not problem.is_checked
        )

    def find(self, problem_id: str) -> Problem:
        """Return the problem that is asked under ``problem_id``; raises TurnwiseError if none is."""
        if problem_id not in self._problems:
            names = ", ".join(self._tasks)
            raise TurnwiseError(f"{problem_id!r} is no problem that {names} asks: look it up with turnwise tasks.")
        return self._problems[problem_id]

    def plan(self, task_name: str, iteration: int, seed: int) -> DialoguePlan:
        """Return what the dialogues of a task share in an ``iteration`` (from 1) of the training of this ``seed``."""
        settings = replace(self.settings, seed=iteration_seed(seed, iteration))
        return dialogue_plan(settings, self._tasks[task_name], self.prompts, self.decoys.get(task_name))

    def dialogues(self, iteration: int, *, rollouts: int, group: int, seed: int) -> list[Dialogue]:
        """Return the dialogues of an ``iteration`` (from 1): ``rollouts``, of which ``group`` are about each problem.

        ``Dialogue.sample`` counts the dialogues about a problem over all iterations. Raises ValueError unless the
        rollouts are a multiple of the group.
        """
        if rollouts % group:
            raise ValueError(f"{rollouts} rollouts are no multiple of a group of {group}")
        plans = {name: self.plan(name, iteration, seed) for name in self._tasks}
        count = rollouts // group
        return [
            Dialogue(problem, epoch * group + member, plans[task])
            for epoch, task, problem in islice(self._visits((iteration - 1) * count, seed), count)
            for member in range(group)
        ]

    def _visits(self, first: int, seed: int) -> Iterator[tuple[int, str, Problem]]:
        """Yield epoch (from 0), task and problem of the visits from number ``first`` on."""
        epoch, place = divmod(first, len(self._pairs))
        while True:
            ordered = sorted(self._pairs, key=lambda pair: _digest(seed, epoch, pair[0], pair[1].id))
            yield from ((epoch, *pair) for pair in ordered[place:])
            epoch, place = epoch + 1, 0


def load_tasks(
    tasks: Sequence[Task], settings: RunSettings, machine: Machine, judge: JudgeSettings, *, runnable: bool = True
) -> tuple[LoadedTask, ...]:
    """Return the tasks with the problems that ``settings`` ask, as ``judge`` judges them; expected outputs computed.

    Unless they have to be ``runnable``, no program is run. Raises TurnwiseError as ``open_task`` does.
    """
    verified = VerifiedProblems(
        machine.executor, machine.cache_dir, judge, solutions=settings.own_solutions, data_dir=machine.data_dir
    )
    opened = [
        open_task(task, settings, data_dir=machine.data_dir, environ=machine.environ, verified=verified)
        for task in tasks
    ]
    return tuple(resolve_task(loaded_task, machine, judge, with_expected=runnable) for loaded_task in opened)


def iteration_seed(seed: int, iteration: int) -> int:
    """Return the seed of the dialogues of an iteration: blake2b(seed, iteration) mod 2**31."""
    return int.from_bytes(_digest(seed, iteration), "big") % 2**31


def check_training_task(task: Task) -> None:
    """Raise TurnwiseError for a task that measures models: none is trained on it."""
    if not task.is_training:
        raise TurnwiseError(
            f"{task.name} is over the split {task.split}, which measures models: train on a task over a train split, "
            "such as codecontests_train_multiturn."
        )


def _check_decoys(task: str, pool: DecoyPool) -> None:
    if others := pool.splits - {TRAINING_SPLIT}:
        raise TurnwiseError(
            f"The incorrect programs of {task} ({pool.source}) are of the split {', '.join(sorted(others))}, which "
            "measures models: give those of a train split."
        )


def _digest(*parts: int | str) -> bytes:
    return hashlib.blake2b(json_line(list(parts)).encode(), digest_size=8).digest()
