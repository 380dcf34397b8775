"""A synthetic model: right or wrong by chance, the chance depending on what it was told last.

>>> SyntheticSampler(problems, first=0.2, repair={"failed_tests": 0.5, "binary": 0.1})

Its replies are a fixed function of the request's seed, so equal requests have equal replies. It logs each call, if it
is given a file, before it answers.
"""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from turnwise.records.problem import Problem
from turnwise.records.trajectory import Reply
from turnwise.runners.models.sampler import ImmediateSampler, Request

WRONG = "answer = 0\nfor step in range(3):\n    answer += step\nprint('wrong', answer)\n"


class SyntheticSampler(ImmediateSampler):
    """Right with chance ``first`` in turn 1, with chance ``repair[kind]`` after feedback of that kind."""

    def __init__(
        self,
        problems: Sequence[Problem],
        *,
        first: float,
        repair: Mapping[str, float] | None = None,
        log: Path | None = None,
        delay: float = 0.0,
    ) -> None:
        self._right = {problem.id: problem.solutions[0] for problem in problems}
        self._first = first
        self._repair = repair or {}
        self._log = log
        self._delay = delay
        self.description = {"model": "synthetic"}
        self.calls: list[list[object]] = []

    async def generate(self, request: Request) -> Reply | None:
        """Log the call, wait, answer."""
        if self._log is not None:
            descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(descriptor, json.dumps(call_of(request)).encode() + b"\n")
            os.close(descriptor)
        if self._delay:
            await asyncio.sleep(self._delay)
        return self.answer(request)

    def answer(self, request: Request) -> Reply:
        """Return thoughts where no program is asked for, else a right or a wrong program."""
        self.calls.append(call_of(request))
        if request.messages[-1].prompt_id != "format_guide":
            return Reply(f"Thought {request.seed}.")
        chance = self._first
        if request.turn:
            told = [message.prompt_id for message in request.messages if message.kind == "feedback"][-1]
            chance = self._repair[told.removeprefix("feedback/")]
        is_right = np.random.default_rng(request.seed).random() < chance
        return Reply(f"```python\n{self._right[request.problem] if is_right else WRONG}\n```")


def call_of(request: Request) -> list[object]:
    """Return what identifies a call: task, dialogue, place, and all that was said before."""
    said = [[message.role, message.content] for message in request.messages]
    return [request.task, request.problem, request.sample, request.turn, request.call, said]
