"""The seam to models: a Sampler gets the dialogue so far and gives the next reply.

A reply of None means that the model has no further answer (a recording that ended). A failing request
raises RequestError, which makes that dialogue missing, never wrong; ContextOverflowError ends it as failed.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Context, End, Message, Reply
from turnwise.runners.models.gate import Gate
from turnwise.tasks.dialogue import Ask, Dialogue

# Of vLLM, sglang, llama.cpp, TGI and the hosted APIs. A complaint about a parameter of the run (max_tokens, say) is no
# overflow: every request of a wrong command would count as the model's failure.
_OVERFLOW = re.compile(
    r"context_length_exceeded|context[ _]?(?:length|window|size|limit)|max_model_len"
    r"|maximum (?:model|input|prompt|(?:supported )?sequence) length|model_max_prompt_tokens_exceeded"
    r"|input tokens exceed|(?:input|prompt) token count.{0,60}exceed|(?:input|prompt) length.{0,60}(?:exceed|should be)"
    r"|prompt exceeds max|exceeded model token limit|inputs.{0,20}must have less than \d+ tokens"
    r"|tokens in the prompt cannot exceed|too many input tokens"
    r"|(?:prompt|input|inputs).{0,40}too long|longer than the model|inputs.{0,20}tokens.{0,40}must be <",
    re.IGNORECASE,
)


def is_overflow(refusal: str) -> bool:
    """Return whether a server refuses a request because the dialogue no longer fits the model's context."""
    return _OVERFLOW.search(refusal) is not None


class RequestError(Exception):
    """The model could not be asked; says nothing about its answer."""


class ContextOverflowError(Exception):
    """The dialogue no longer fits the model's context: an outcome of the model, not a missing one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call: which dialogue, turn and call it is, all messages so far, and its seed.

    Where the last message is the assistant's (a prefill), the reply is what follows it. ``after`` is what an engine in
    this process had in the call before, as it gave it with its reply: to go on from those token ids.
    """

    task: str
    problem: str
    sample: int
    turn: int
    call: int
    messages: tuple[Message, ...]
    seed: int
    after: Context | None = None


Outcome = Reply | RequestError | ContextOverflowError | None


class Sampler(Protocol):
    """A source of replies, one request at a time."""

    @property
    def description(self) -> dict[str, str]:
        """What is asked, for run.json: at least ``model``."""
        ...

    async def generate(self, request: Request) -> Reply | None:
        """Return the reply, or None where there is no further answer.

        Raises RequestError or ContextOverflowError.
        """
        ...


class Model(Sampler, Protocol):
    """A sampler that a run asks: how many requests it takes at a time, and its end.

    ``gate`` is None where answers are at hand, so that judging alone bounds how many dialogues are open.
    """

    @property
    def gate(self) -> Gate | None:
        """The gate before it."""
        ...

    def with_sampling(self, sampling: Sampling) -> "Model":
        """Return the model asked with ``sampling``; both share what is loaded, and are not used at the same time."""
        ...

    async def close(self) -> None:
        """Let go of connections or engines."""
        ...


@runtime_checkable
class BatchSampler(Protocol):
    """A source of replies that wants many requests at once (an offline engine, lm-eval)."""

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in order; a failing request is the error in its place."""
        ...


class Engine(Protocol):
    """What answers the batches of a BatchingModel; ``generate_batch`` is called from one thread only."""

    @property
    def description(self) -> dict[str, str]:
        """What is asked, for run.json."""
        ...

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in order; a failing request is the error in its place."""
        ...

    def with_sampling(self, sampling: Sampling) -> "Engine":
        """Return the engine that answers with ``sampling``; both share what is loaded."""
        ...


class BatchingModel:
    """A sampler of batches as a Model: the requests that wait become the next batch, follow-up turns first.

    One batch of at most ``batch_size`` at a time, in a thread of its own, so that judging and the next requests go on
    meanwhile. Twice the batch may be in flight: while one is answered the next one gathers.
    """

    def __init__(self, engine: Engine, *, batch_size: int) -> None:
        self.description = engine.description
        self.gate = Gate(2 * batch_size)
        self._engine = engine
        self._batch_size = batch_size
        self._waiting: list[tuple[Request, asyncio.Future[Outcome]]] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._asking: asyncio.Task[None] | None = None

    async def generate(self, request: Request) -> Reply | None:
        """Return the reply; raises RequestError, ContextOverflowError, or whatever stops the engine."""
        async with self.gate.slot(urgent=request.turn > 0 or request.call > 0):
            place: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            self._waiting.append((request, place))
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            outcome = await place
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def with_sampling(self, sampling: Sampling) -> "BatchingModel":
        """Return the model asked with ``sampling``, over the same engine."""
        return BatchingModel(self._engine.with_sampling(sampling), batch_size=self._batch_size)

    async def close(self) -> None:
        """Wait for the batch that is being answered."""
        if self._asking is not None:
            self._asking.cancel()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def _ask(self) -> None:
        await asyncio.sleep(0)  # whoever is about to ask may join the batch
        while self._waiting:
            self._waiting.sort(key=lambda one: (-one[0].turn, -one[0].call))
            batch, self._waiting = self._waiting[: self._batch_size], self._waiting[self._batch_size :]
            requests = [request for request, _ in batch]
            try:
                outcomes = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._engine.generate_batch, requests
                )
            except Exception as error:  # it belongs to those who asked
                for _, place in batch:
                    if not place.done():
                        place.set_exception(error)
                continue
            for (_, place), outcome in zip(batch, outcomes, strict=True):
                if not place.done():
                    place.set_result(outcome)


class ImmediateSampler:
    """A sampler whose answers are at hand: subclasses define ``answer``; it serves both kinds of drivers."""

    gate: Gate | None = None

    def answer(self, request: Request) -> Reply | None:
        """Return the reply, or None where there is no further answer; raises RequestError."""
        raise NotImplementedError

    def with_sampling(self, sampling: Sampling) -> Self:  # noqa: ARG002 - the answers are given
        """Return itself."""
        return self

    async def close(self) -> None:
        """Nothing is held."""

    async def generate(self, request: Request) -> Reply | None:
        """Return ``answer``."""
        return self.answer(request)

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return ``answer`` of each request."""
        return [self._outcome(request) for request in requests]

    def _outcome(self, request: Request) -> Outcome:
        try:
            return self.answer(request)
        except (RequestError, ContextOverflowError) as error:
            return error


class ScriptedSampler(ImmediateSampler):
    """The public test double: replies from a dict of (problem, sample) to the texts of its calls, in order.

    An error in place of a text is raised. Where nothing is scripted the request fails.
    """

    def __init__(self, replies: Mapping[tuple[str, int], Sequence[str | Exception]], model: str = "scripted") -> None:
        self._replies = replies
        self._given: dict[tuple[str, int], int] = {}
        self.description = {"model": model}
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Reply | None:
        """Return the scripted text of this call, None after the last one."""
        self.requests.append(request)
        key = (request.problem, request.sample)
        if key not in self._replies:
            raise RequestError(f"nothing is scripted for {request.problem}, sample {request.sample}")
        index = self._given.get(key, 0)
        self._given[key] = index + 1
        texts = self._replies[key]
        if index >= len(texts):
            return None
        text = texts[index]
        if isinstance(text, Exception):
            raise text
        return Reply(text)


def request_of(dialogue: Dialogue, ask: Ask) -> Request:
    """Return the request that ``ask`` of ``dialogue`` makes."""
    return Request(
        dialogue.task, dialogue.problem.id, dialogue.sample, ask.turn, ask.call, ask.messages, ask.seed, ask.after
    )


def take_outcome(dialogue: Dialogue, ask: Ask, outcome: Outcome) -> None:
    """Give the dialogue its reply, or end it where there is none."""
    if isinstance(outcome, Reply):
        dialogue.reply(outcome)
    elif isinstance(outcome, ContextOverflowError):
        dialogue.stop(End.CONTEXT_OVERFLOW)
    elif isinstance(outcome, RequestError) or ask.turn == 0:
        dialogue.stop(End.REQUEST_FAILED)  # nothing was recorded at all
    else:
        dialogue.stop(End.NO_MORE_ANSWERS)
