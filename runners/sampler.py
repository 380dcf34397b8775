"""The seam to models: a Sampler gets the dialogue so far and gives the next reply.

A reply of None means that the model has no further answer (a recording that ended); a failing request
raises RequestError, which makes that dialogue missing, never wrong.
"""

from dataclasses import dataclass
from typing import Protocol

from turnwise.tasks.trajectory import Message, Reply


class RequestError(Exception):
    """The model could not be asked; says nothing about its answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: which dialogue and turn it belongs to, all messages so far, and its seed."""

    problem: str
    sample: int
    turn: int
    messages: tuple[Message, ...]
    seed: int


class Sampler(Protocol):
    """A source of replies."""

    @property
    def description(self) -> dict[str, str]:
        """What is asked, for run.json: at least ``model``."""
        ...

    def generate(self, request: Request) -> Reply | None:
        """Return the reply, or None where there is no further answer; raises RequestError."""
        ...


class ScriptedSampler:
    """The public test double: replies from a dict of (problem, sample) to the texts of its turns."""

    def __init__(self, replies: dict[tuple[str, int], tuple[str, ...]], model: str = "scripted") -> None:
        self._replies = replies
        self.description = {"model": model}
        self.requests: list[Request] = []

    def generate(self, request: Request) -> Reply | None:
        """Return the scripted text of this turn; raises RequestError where nothing is scripted."""
        self.requests.append(request)
        texts = self._replies.get((request.problem, request.sample))
        if texts is None:
            raise RequestError(f"nothing is scripted for {request.problem}, sample {request.sample}")
        return Reply(texts[request.turn]) if request.turn < len(texts) else None
