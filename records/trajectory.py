"""Trajectories: one record per dialogue, the only interchange between sampling, judging and scoring.

A call's messages are those added since the previous reply. Times, hosts, costs and scores are not in a
trajectory, so two runs with equal replies are equal byte for byte; hidden tests are not in it either.
"""

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from turnwise.records.codec import from_json, if_set, in_memory
from turnwise.records.report import Report
from turnwise.records.thinking import strip_thinking
from turnwise.texts import shown

SCHEMA = 1
_MOST_TOKENS = 2**40  # of one reply: so that no sum over a run overflows
_VOCABULARY = 2**31  # of token ids
_CUT = frozenset({"length", "max_tokens", "max_output_tokens"})  # how servers say that the token limit ended a reply


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


@dataclass(frozen=True, slots=True)
class Context:
    """What a model has before it when a dialogue goes on: the token ids of a call's prompt and of its reply."""

    prompt: tuple[int, ...]
    reply: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered; counts, ids and log-probabilities of tokens are None where the model does not tell.

    ``token_ids`` int[completion tokens], ``logprobs`` float[completion tokens] (natural, of the chosen tokens),
    ``prompt_token_ids`` int[prompt tokens]. ``context`` is for the dialogue's next call, where the model runs here.
    ``withheld`` names why a provider gave no reply of the model (content_filter, refusal, tool_calls), "" where it
    did; ``withheld_content`` is what it gave instead, which is no part of the dialogue.
    """

    text: str
    reasoning: str = ""
    finish_reason: str = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    withheld: str = if_set("")
    withheld_content: str = if_set("")
    token_ids: tuple[int, ...] | None = if_set(None)
    logprobs: tuple[float, ...] | None = if_set(None)
    prompt_token_ids: tuple[int, ...] | None = if_set(None)
    context: Context | None = in_memory(None)

    @property
    def is_cut(self) -> bool:
        """Whether the token limit ended it."""
        return self.finish_reason.lower() in _CUT

    @property
    def known_context(self) -> Context | None:
        """What the model had and said, as an engine in this process told it or as it was written."""
        if self.context is not None or self.prompt_token_ids is None or self.token_ids is None:
            return self.context
        return Context(self.prompt_token_ids, self.token_ids)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the model: the messages added for it, and the reply.

    ``prompt_cut``: the server cut the prompt without a word, since it counted no more tokens than of a shorter one.
    """

    messages: tuple[Message, ...]
    reply: Reply
    prompt_cut: bool = if_set(False)

    @property
    def prefill(self) -> str:
        """The beginning of the answer that the model was given to continue."""
        last = self.messages[-1] if self.messages else None
        return last.content if last is not None and last.kind == "prefill" else ""

    @property
    def answer(self) -> str:
        """What the model said as its listener reads it: the prefill, if any, and the reply without thinking."""
        return self.prefill + strip_thinking(self.reply.text)


@dataclass(frozen=True, slots=True)
class Turn:
    """One or two calls, the program of the last reply (None: no code), and how it did on public tests."""

    calls: tuple[Call, ...]
    program: str | None
    public_report: Report


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One dialogue: problem, sample, seed, its turns and how it ended."""

    DERIVED: ClassVar = ("submission_turn",)

    schema: int = field(default=SCHEMA, kw_only=True)
    task: str
    problem: str
    sample: int
    seed: int
    turns: tuple[Turn, ...]
    end: End

    @property
    def submission_turn(self) -> int | None:
        """The index of the last turn if that has a program, else None: no submission."""
        if self.turns and self.turns[-1].program is not None:
            return len(self.turns) - 1
        return None

    @property
    def is_missing(self) -> bool:
        """Whether the dialogue says nothing final about the model: a request, or the machine, failed."""
        return self.end in MISSING_ENDS


def read_trajectory(data: object) -> Trajectory:
    """Return the trajectory in a JSON object, of whoever's file: with the types and bounds that readers rely on.

    Raises ValueError, naming the field, for anything else.
    """
    if isinstance(data, dict) and data.get("schema") != SCHEMA:
        schema = shown(data.get("schema"))
        raise ValueError(f"trajectories of schema {schema} are unknown here; the turnwise that wrote them reads them")
    trajectory = from_json(Trajectory, data)
    if not trajectory.turns and trajectory.end in (End.PUBLIC_PASSED, End.TURN_LIMIT, End.NO_MORE_ANSWERS):
        raise ValueError(f"it ended as {trajectory.end} without a turn")
    _check_numbers(trajectory)
    return trajectory


def read_reply(data: object) -> Reply:
    """Return the reply in a JSON object, of whoever's file; raises as ``read_trajectory`` does."""
    reply = from_json(Reply, data)
    _check_tokens(reply)
    return reply


def _check_tokens(reply: Reply) -> None:
    for count in (reply.prompt_tokens, reply.completion_tokens):
        if not 0 <= (count or 0) < _MOST_TOKENS:
            raise ValueError(f"a number of tokens is {shown(count)}")
    for ids in filter(None, (reply.prompt_token_ids, reply.token_ids)):
        for token in (min(ids), max(ids)):
            if not 0 <= token < _VOCABULARY:
                raise ValueError(f"a token has the id {shown(token)}")
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
