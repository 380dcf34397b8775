"""``--model openai``: any server that speaks OpenAI's chat completions (vLLM, SGLang, llama.cpp, hosted ones).

    model = OpenAIModel(Server("http://localhost:8000/v1", model="m"), Sampling(temperature=0.2))

Requests go through a gate (gate.py): at most so many in flight as the server can use, follow-up turns
first. What fails for now is asked again; a rate limit slows everything down and fails nothing; a request
that fails for good fails its dialogue alone; a server that is gone stops the run. The server counts the
tokens and refuses what outgrows its context: the statement is never cut. Where a reply of the length
asked for does not fit it is asked for without one, and so for what fits, as in-process engines give it.

First turns may be asked together, in one request for several dialogues about a problem, for servers that bill every
prompt. The dialogues of a problem that belong together are fixed (samples 0 to 7, 8 to 15, 16 to 19), so a request that
is made again after an interruption is the same one, and each dialogue takes its own choice of the answer.
"""

import asyncio
import copy
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Self

from turnwise.errors import InfrastructureError
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Reply
from turnwise.runners.models.chat import continues_answer, sendable, to_chat
from turnwise.runners.models.gate import Gate, Slot
from turnwise.runners.models.openai.errors import (
    GO_ON,
    REFUSED,
    RedirectError,
    ServerGoneError,
    StatusError,
    TransientError,
    WireError,
    WithheldError,
    sort_error,
)
from turnwise.runners.models.openai.replies import MalformedError, read_replies, read_stream, withheld_reply
from turnwise.runners.models.openai.server import Server, describe_openai
from turnwise.runners.models.openai.wire import Wire
from turnwise.runners.models.sampler import ContextOverflowError, Request, RequestError
from turnwise.tasks.dialogue import dialogue_seed

_PATH = "/chat/completions"
_TIMEOUT_RETRIES = 1
_FAILED_IN_A_ROW = 20
_ALIVE_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 10.0
_BUSY_SECONDS = 1800.0
_ALIKE_GROUPS = 10

Ask = Callable[[Request, int], Awaitable[Sequence[Reply]]]


class OpenAIModel:
    """Asks one model at one server; use it in one event loop."""

    def __init__(self, server: Server, sampling: Sampling, *, samples: int = 1, run_seed: int = 0) -> None:
        self._server = server
        self._samples = samples
        self._run_seed = run_seed
        self._ask_as(sampling)
        self._wire = Wire(server)
        self._last_success = time.monotonic()
        self._failed_in_a_row = 0
        self.gate = Gate(server.concurrency)
        if server.first_turns > 1:
            self.gate.keep_limit()  # a probe tells requests, and those are several sequences now
        self.description = describe_openai(
            server.model,
            system_role=server.system_role,
            first_turns=server.first_turns,
            request=server.fields.text,
        )

    async def generate(self, request: Request) -> Reply:
        """Return the reply; raises RequestError, ContextOverflowError, or TurnwiseError where the run has to stop."""
        reply = await self._reply_to(request)
        if continues_answer(request.messages):  # llama.cpp begins with the beginning that it was given
            return replace(reply, text=reply.text.removeprefix(sendable(request.messages[-1].content)))
        return reply

    async def _reply_to(self, request: Request) -> Reply:
        if self._joint is not None and _is_first(request):
            reply = await self._joint.reply(request)
            if reply is not None:
                return reply
        try:
            (reply, *_) = await self._insist(request, self._with_messages(request))
        except RequestError as error:
            self._count_failed(str(error))
            raise
        return reply

    async def _ask_jointly(self, request: Request, choices: int) -> list[Reply]:
        return await self._insist(request, {**self._with_messages(request), "n": choices})

    async def _insist(self, request: Request, options: dict[str, object]) -> list[Reply]:
        """Ask until there is an answer or no hope for one; what failed once goes before new dialogues."""
        failures = 0
        while True:
            try:
                replies = await self._ask(options, urgent=failures > 0 or not _is_first(request))
            except TransientError as error:
                failures += not error.is_busy
                await self._wait_after(error, failures)
                continue
            except ContextOverflowError:
                self._count_answer()
                limits = [name for name in self._server.fields.limit_names() if name in options]
                if not limits:
                    raise
                for name in limits:
                    del options[name]
                continue  # the prompt may fit, if not with so long a reply: what there is room for
            except WithheldError as error:
                self._count_answer()
                return [withheld_reply(str(error))]
            self._count_answer()
            return replies

    def with_sampling(self, sampling: Sampling) -> Self:
        """Return the model asked with ``sampling``, over the same connections."""
        other = copy.copy(self)
        other._ask_as(sampling)
        return other

    def _ask_as(self, sampling: Sampling) -> None:
        self._options = _request_options(self._server, sampling)
        self._joint = None
        if self._server.first_turns > 1:
            self._joint = JointTurns(
                self._ask_jointly, size=self._server.first_turns, samples=self._samples, run_seed=self._run_seed
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def _ask(self, options: dict[str, object], *, urgent: bool) -> list[Reply]:
        async with self.gate.slot(urgent=urgent) as slot:
            try:
                async with asyncio.timeout(self._server.timeout):
                    return await (self._probe(options, slot) if slot.is_probe else self._whole(options))
            except (MalformedError, RedirectError, StatusError, TimeoutError, WireError) as error:
                raise sort_error(error, self._server) from None

    async def _whole(self, options: dict[str, object]) -> list[Reply]:
        return read_replies(await self._wire.ask(_PATH, options))

    async def _probe(self, options: dict[str, object], slot: Slot) -> list[Reply]:
        """Ask for a stream; a server that refuses to stream but not to answer is asked for none any more."""
        try:
            return [await self._stream(options, slot)]
        except MalformedError:  # a stream without a word, say: some servers tell only in a whole answer what is wrong
            return await self._whole(options)
        except StatusError as error:
            if error.status not in REFUSED:
                raise
        replies = await self._whole(options)
        self.gate.keep_limit()
        return replies

    async def _stream(self, options: dict[str, object], slot: Slot) -> Reply:
        body = {**options, "stream": True, "stream_options": {"include_usage": True}}
        async with aclosing(self._wire.stream(_PATH, body)) as chunks:
            return await read_stream(chunks, on_first_token=slot.started)

    def _with_messages(self, request: Request) -> dict[str, object]:
        messages = to_chat(request.messages, system_role=self._server.system_role)
        options = {**self._options, "messages": messages, "seed": request.seed}
        if continues_answer(request.messages):
            options |= {"continue_final_message": True, "add_generation_prompt": False}
        return self._server.fields.apply(options)

    async def _wait_after(self, error: TransientError, failures: int) -> None:
        """Wait before the next attempt, or raise where there is to be none."""
        server = self._server
        seconds = min(_LONGEST_WAIT_SECONDS, server.backoff * 2.0 ** min(failures, 8)) * random.uniform(0.75, 1.25)
        silent = time.monotonic() - self._last_success
        if error.is_busy:
            if silent > max(_BUSY_SECONDS, server.outage):
                raise ServerGoneError(server.place, str(error))
            self.gate.refused(seconds=seconds if error.wait_seconds is None else error.wait_seconds)
            return
        if failures > (_TIMEOUT_RETRIES if error.is_timeout else server.max_retries):
            if not error.is_unheard and await self._is_alive():
                raise RequestError(str(error))
            if silent > server.outage:
                raise ServerGoneError(server.place, str(error))
        await asyncio.sleep(seconds if error.wait_seconds is None else error.wait_seconds)

    async def _is_alive(self) -> bool:
        try:
            async with asyncio.timeout(_ALIVE_SECONDS):
                await self._wire.get("/models")
        except StatusError as error:
            return error.status < 500
        except (MalformedError, RedirectError):
            return True
        except (TimeoutError, WireError):
            return False
        return True

    def _count_answer(self) -> None:
        self._last_success = time.monotonic()
        self._failed_in_a_row = 0
        self.gate.succeeded()

    def _count_failed(self, reason: str) -> None:
        self._failed_in_a_row += 1
        if self._failed_in_a_row >= _FAILED_IN_A_ROW:
            raise InfrastructureError(
                f"The last {_FAILED_IN_A_ROW} requests to {self._server.place} all failed ({reason}): "
                f"look at the server's log, {GO_ON}."
            )


def _is_first(request: Request) -> bool:
    return request.turn == 0 and request.call == 0


def _request_options(server: Server, sampling: Sampling) -> dict[str, object]:
    """Return the fields that every request carries; what was not given is left to the server."""
    options: dict[str, object] = {"model": server.model, **sampling.told()}
    if server.logprobs:
        options |= {"logprobs": True, "return_token_ids": True}
    return options


@dataclass(slots=True)
class _Group:
    replies: "asyncio.Task[Sequence[Reply]]"
    waiting: int


class JointTurns:
    """Asks for the first turns of ``size`` dialogues at a time; ``ask`` sends a request for a number of choices.

    ``samples`` is how many dialogues a problem has, so that no choice is paid for and left over.
    """

    def __init__(self, ask: Ask, *, size: int, samples: int, run_seed: int) -> None:
        self._ask = ask
        self._size = size
        self._samples = samples
        self._run_seed = run_seed
        self._groups: dict[tuple[str, str, int], _Group] = {}
        self._alike = 0

    async def reply(self, request: Request) -> Reply | None:
        """Return the dialogue's choice of the joint answer; None if the server gives no choice to it.

        Raises what ``ask`` raises, for all dialogues of the group, and InfrastructureError for a server whose
        choices do not differ.
        """
        first = request.sample // self._size * self._size
        count = min(self._size, self._samples - first)
        if count < 2:
            return None
        key = (request.task, request.problem, first)
        if key not in self._groups:
            leader = replace(
                request, sample=first, seed=dialogue_seed(self._run_seed, request.problem, first, request.turn)
            )
            self._groups[key] = _Group(asyncio.ensure_future(self._ask_jointly(leader, count)), count)
        group = self._groups[key]
        try:
            replies = await asyncio.shield(group.replies)
        finally:
            group.waiting -= 1
            if not group.waiting:
                group.replies.cancel()  # in vain unless everybody who waited was
                del self._groups[key]
        place = request.sample - first
        return replies[place] if place < len(replies) else None

    async def _ask_jointly(self, request: Request, count: int) -> Sequence[Reply]:
        try:
            replies = await self._ask(request, count)
        except RequestError:  # it may be the number of choices that the server refuses
            return ()
        self._check_that_they_differ(replies)
        return replies

    def _check_that_they_differ(self, replies: Sequence[Reply]) -> None:
        """Stop where the server draws all choices from one seed: they would count as independent samples."""
        if len(replies) < 2 or not any(one.text or one.reasoning for one in replies):  # withheld ones are all empty
            return
        self._alike = self._alike + 1 if len({(one.text, one.reasoning) for one in replies}) == 1 else 0
        if self._alike >= _ALIKE_GROUPS:
            raise InfrastructureError(
                f"The server gave the same text for each of {len(replies)} choices, {self._alike} times in a row: "
                "leave out first_turns, and run into another folder."
            )
