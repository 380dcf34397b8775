"""Trajectories: one record per dialogue, the only interchange between sampling, judging and scoring.

A call's messages are those added since the previous reply. Times, hosts, costs and scores are not in a
trajectory, so two runs with equal replies are equal byte for byte; hidden tests are not in it either.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from turnwise.json_text import json_line
from turnwise.records.report import Report
from turnwise.records.thinking import strip_thinking
from turnwise.texts import shown

SCHEMA = 1
_MOST_TOKENS = 2**40  # of one reply: so that no sum over a run overflows


class End(StrEnum):
    """Why a dialogue ended; a failed request or machine makes its outcome missing, the others are the model's."""

    PUBLIC_PASSED = "public_passed"
    TURN_LIMIT = "turn_limit"
    NO_MORE_ANSWERS = "no_more_answers"
    CONTEXT_OVERFLOW = "context_overflow"
    REQUEST_FAILED = "request_failed"
    INFRASTRUCTURE_FAILURE = "infrastructure_failure"


MISSING_ENDS = frozenset({End.REQUEST_FAILED, End.INFRASTRUCTURE_FAILURE})


@dataclass(frozen=True, slots=True)
class Message:
    """One message: kind is system, statement, reasoning, instruction, feedback, or prefill.

    A prefill (role assistant) comes last in its call: the model's reply goes on where it ends.
    """

    role: str
    kind: str
    prompt_id: str
    content: str

    def to_json(self) -> dict[str, str]:
        """Return a JSON object that ``from_json`` reads."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, data: dict[str, str]) -> "Message":
        """Return the message that ``to_json`` wrote."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered; counts, ids and log-probabilities of tokens are None where the model does not tell.

    ``token_ids`` int[completion tokens], ``logprobs`` float[completion tokens] (natural, of the chosen tokens).
    ``withheld`` names why a provider gave no reply of the model (content_filter, refusal, tool_calls), "" where it
    did; ``withheld_content`` is what it gave instead, which is no part of the dialogue.
    """

    text: str
    reasoning: str = ""
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    token_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    withheld: str = ""
    withheld_content: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads; the last four fields only where there is something in them."""
        data = {name: getattr(self, name) for name in self.__slots__[:5]}
        data |= {name: getattr(self, name) for name in self.__slots__[7:] if getattr(self, name)}
        for name in ("token_ids", "logprobs"):
            if (values := getattr(self, name)) is not None:
                data[name] = list(values)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Reply":
        """Return the reply that ``to_json`` wrote."""
        lists = {name: tuple(data[name]) for name in ("token_ids", "logprobs") if data.get(name) is not None}
        return cls(**{**data, **lists})


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the model: the messages added for it, and the reply.

    ``prompt_cut``: the server cut the prompt without a word, since it counted no more tokens than of a shorter one.
    """

    messages: tuple[Message, ...]
    reply: Reply
    prompt_cut: bool = False

    @property
    def prefill(self) -> str:
        """The beginning of the answer that the model was given to continue."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.kind == "prefill" else ""

    @property
    def answer(self) -> str:
        """What the model said as its listener reads it: the prefill, if any, and the reply without thinking."""
        return self.prefill + strip_thinking(self.reply.text)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        data = {"messages": [message.to_json() for message in self.messages], "reply": self.reply.to_json()}
        return {**data, "prompt_cut": True} if self.prompt_cut else data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Call":
        """Return the call that ``to_json`` wrote."""
        messages = tuple(map(Message.from_json, data["messages"]))
        return cls(messages, Reply.from_json(data["reply"]), bool(data.get("prompt_cut", False)))


@dataclass(frozen=True, slots=True)
class Turn:
    """One or two calls, the program of the last reply (None: no code), and how it did on public tests."""

    calls: tuple[Call, ...]
    program: str | None
    public_report: Report

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads; measured seconds and bytes are left out."""
        report = self.public_report.to_json()
        for result in report["public"]:
            result["cpu_seconds"], result["peak_memory_bytes"] = 0.0, 0
        return {
            "calls": [call.to_json() for call in self.calls],
            "program": self.program,
            "public_report": report,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Turn":
        """Return the turn that ``to_json`` wrote."""
        calls = tuple(map(Call.from_json, data["calls"]))
        return cls(calls, data["program"], Report.from_json(data["public_report"]))


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One dialogue: problem, sample, seed, its turns and how it ended.

    ``submission_turn`` is the index of the last turn if that has a program, else None: no submission.
    """

    task: str
    problem: str
    sample: int
    seed: int
    turns: tuple[Turn, ...]
    end: End
    schema: int = field(default=SCHEMA)

    @property
    def submission_turn(self) -> int | None:
        """The index of the last turn if it has a program."""
        if self.turns and self.turns[-1].program is not None:
            return len(self.turns) - 1
        return None

    @property
    def is_missing(self) -> bool:
        """Whether the dialogue says nothing final about the model: a request, or the machine, failed."""
        return self.end in MISSING_ENDS

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object that ``from_json`` reads."""
        return {
            "schema": self.schema,
            "task": self.task,
            "problem": self.problem,
            "sample": self.sample,
            "seed": self.seed,
            "turns": [turn.to_json() for turn in self.turns],
            "end": self.end.value,
            "submission_turn": self.submission_turn,
        }

    def to_line(self) -> str:
        """Return the trajectory as one line of JSON, without the line break."""
        return json_line(self.to_json())

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Trajectory":
        """Return the trajectory that ``to_json`` wrote."""
        if data["schema"] != SCHEMA:
            raise ValueError(f"trajectories of schema {data['schema']!r} are unknown here")
        turns = tuple(map(Turn.from_json, data["turns"]))
        return cls(data["task"], data["problem"], data["sample"], data["seed"], turns, End(data["end"]))


def read_trajectory(data: Any) -> Trajectory:
    """Return ``checked_trajectory`` with the errors of ``Trajectory.from_json`` where that notices.

    Raises KeyError, TypeError, AttributeError or ValueError for what is none.
    """
    try:
        return checked_trajectory(data)
    except ValidationError:
        Trajectory.from_json(data)
        raise


def checked_trajectory(data: Any) -> Trajectory:
    """Return the trajectory that ``to_json`` wrote, of whoever's file: with the types and bounds that readers rely on.

    Raises ValidationError or ValueError for anything else.
    """
    trajectory = _adapter().validate_python(data)
    if trajectory.schema != SCHEMA:
        raise ValueError(f"trajectories of schema {shown(trajectory.schema)} are unknown here")
    if not trajectory.turns and trajectory.end in (End.PUBLIC_PASSED, End.TURN_LIMIT, End.NO_MORE_ANSWERS):
        raise ValueError(f"it ended as {trajectory.end} without a turn")
    _check_numbers(trajectory)
    return trajectory


def read_reply(data: Any) -> Reply:
    """Return the reply that ``to_json`` wrote, of whoever's file; raises as ``read_trajectory`` does."""
    reply = _reply_adapter().validate_python(data)
    _check_tokens(reply)
    return reply


@cache
def _adapter() -> TypeAdapter[Trajectory]:
    return TypeAdapter(Trajectory)


@cache
def _reply_adapter() -> TypeAdapter[Reply]:
    return TypeAdapter(Reply)


def _check_tokens(reply: Reply) -> None:
    for count in (reply.prompt_tokens, reply.completion_tokens):
        if not 0 <= (count or 0) < _MOST_TOKENS:
            raise ValueError(f"a number of tokens is {shown(count)}")
    if not all(map(math.isfinite, reply.logprobs or ())):
        raise ValueError("a log-probability is no number")


def _check_numbers(trajectory: Trajectory) -> None:
    for turn in trajectory.turns:
        for call in turn.calls:
            _check_tokens(call.reply)
        report = turn.public_report
        for result in (*report.public, *(report.hidden or ())):
            if not (0 <= result.cpu_seconds < math.inf and 0 <= result.peak_memory_bytes < 2**63):
                raise ValueError("what a test took is no number of seconds and bytes")
            if not 0 <= result.index < 2**31:
                raise ValueError(f"a test has the number {shown(result.index)}")
    if not -(2**63) <= trajectory.seed < 2**63:
        raise ValueError(f"a seed is {shown(trajectory.seed)}")
