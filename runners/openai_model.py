"""``--model openai``: any server that speaks OpenAI's chat completions (vLLM, SGLang, llama.cpp, hosted ones).

    model = OpenAIModel(Server("http://localhost:8000/v1", model="m"), Sampling(temperature=0.2))

Requests go through a gate (gate.py): at most so many in flight as the server can use, follow-up turns
first. What fails for now is asked again; a rate limit slows everything down and fails nothing; a request
that fails for good fails its dialogue alone; a server that is gone stops the run. The server counts the
tokens and refuses what outgrows its context: the statement is never cut. Where a reply of the length
asked for does not fit it is asked for without one, and so for what fits, as in-process engines give it.
"""

import asyncio
import copy
import json
import random
import time
from collections.abc import AsyncIterator
from typing import Any, Self

import openai
from openai.types.chat import ChatCompletionChunk

from turnwise.errors import InfrastructureError
from turnwise.runners.chat import continues_answer, to_chat
from turnwise.runners.descriptions import describe_openai
from turnwise.runners.gate import Gate, Slot
from turnwise.runners.joint_turns import JointTurns
from turnwise.runners.openai_errors import GO_ON, REFUSED, ServerGoneError, TransientError, sort_error
from turnwise.runners.openai_replies import MalformedError, read_replies, read_stream
from turnwise.runners.openai_server import Server
from turnwise.runners.sampler import ContextOverflowError, Request, RequestError
from turnwise.runners.settings import Sampling
from turnwise.tasks.trajectory import Reply

_PATH = "/chat/completions"
_TIMEOUT_RETRIES = 1
_FAILED_IN_A_ROW = 20
_ALIVE_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 10.0
_BUSY_SECONDS = 1800.0


class OpenAIModel:
    """Asks one model at one server; use it in one event loop."""

    def __init__(self, server: Server, sampling: Sampling, *, samples: int = 1, run_seed: int = 0) -> None:
        self._server = server
        self._samples = samples
        self._run_seed = run_seed
        self._ask_as(sampling)
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=None, max_keepalive_connections=None)
        self._client = openai.AsyncOpenAI(
            **server.client_options(), http_client=openai.DefaultAsyncHttpxClient(limits=limits)
        )
        self._last_success = time.monotonic()
        self._failed_in_a_row = 0
        self.gate = Gate(server.concurrency)
        if server.first_turns > 1:
            self.gate.keep_limit()  # a probe tells requests, and those are several sequences now
        self.description = describe_openai(server.model, system_role=server.system_role, first_turns=server.first_turns)

    async def generate(self, request: Request) -> Reply:
        """Return the reply; raises RequestError, ContextOverflowError, or TurnwiseError where the run has to stop."""
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

    async def _insist(self, request: Request, options: dict[str, Any]) -> list[Reply]:
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
                if options.pop("max_tokens", None) is None:
                    raise
                continue  # the prompt may fit, if not with so long a reply: what there is room for
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
        await self._client.close()

    async def _ask(self, options: dict[str, Any], *, urgent: bool) -> list[Reply]:
        async with self.gate.slot(urgent=urgent) as slot:
            try:
                async with asyncio.timeout(self._server.timeout):
                    return await (self._probe(options, slot) if slot.is_probe else self._whole(options))
            except (openai.OpenAIError, TimeoutError, MalformedError) as error:
                raise sort_error(error, base_url=self._server.base_url, model=self._server.model) from None

    async def _whole(self, options: dict[str, Any]) -> list[Reply]:
        text = await self._client.post(_PATH, body=options, cast_to=str)
        try:
            data = json.loads(text)
        except ValueError as error:
            raise MalformedError(f"it is no JSON ({error})") from None
        return read_replies(data)

    async def _probe(self, options: dict[str, Any], slot: Slot) -> list[Reply]:
        """Ask for a stream; a server that refuses to stream but not to answer is asked for none any more."""
        try:
            return [await self._stream(options, slot)]
        except openai.APIStatusError as error:
            if error.status_code not in REFUSED:
                raise
        replies = await self._whole(options)
        self.gate.keep_limit()
        return replies

    async def _stream(self, options: dict[str, Any], slot: Slot) -> Reply:
        body = {**options, "stream": True, "stream_options": {"include_usage": True}}
        kind = openai.AsyncStream[ChatCompletionChunk]
        async with await self._client.post(
            _PATH, body=body, cast_to=ChatCompletionChunk, stream=True, stream_cls=kind
        ) as stream:
            return await read_stream(_objects(stream), on_first_token=slot.started)

    def _with_messages(self, request: Request) -> dict[str, Any]:
        messages = to_chat(request.messages, system_role=self._server.system_role)
        options = {**self._options, "messages": messages, "seed": request.seed}
        if continues_answer(request.messages):
            options |= {"continue_final_message": True, "add_generation_prompt": False}
        return options

    async def _wait_after(self, error: TransientError, failures: int) -> None:
        """Wait before the next attempt, or raise where there is to be none."""
        server = self._server
        seconds = min(_LONGEST_WAIT_SECONDS, server.backoff * 2.0 ** min(failures, 8)) * random.uniform(0.75, 1.25)
        silent = time.monotonic() - self._last_success
        if error.is_busy:
            if silent > max(_BUSY_SECONDS, server.outage):
                raise ServerGoneError(server.base_url, str(error))
            self.gate.refused(seconds=seconds if error.wait_seconds is None else error.wait_seconds)
            return
        if failures > (_TIMEOUT_RETRIES if error.is_timeout else server.max_retries):
            if not error.is_unheard and await self._is_alive():
                raise RequestError(str(error))
            if silent > server.outage:
                raise ServerGoneError(server.base_url, str(error))
        await asyncio.sleep(seconds if error.wait_seconds is None else error.wait_seconds)

    async def _is_alive(self) -> bool:
        try:
            await self._client.models.list(timeout=_ALIVE_SECONDS)
        except openai.APIStatusError as error:
            return error.status_code < 500
        except openai.OpenAIError:
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
                f"The last {_FAILED_IN_A_ROW} requests to {self._server.base_url} all failed ({reason}): "
                f"look at the server's log, {GO_ON}."
            )


async def _objects(stream: Any) -> AsyncIterator[Any]:
    """Yield the chunks of a stream as JSON objects; raises MalformedError where it breaks off."""
    chunks = aiter(stream)
    while True:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except openai.OpenAIError:
            raise
        except Exception as error:  # whatever the transport raises while the body comes
            raise MalformedError(f"its stream broke off ({type(error).__name__})") from None
        yield chunk.to_dict()


def _is_first(request: Request) -> bool:
    return request.turn == 0 and request.call == 0


def _request_options(server: Server, sampling: Sampling) -> dict[str, Any]:
    """Return the fields that every request carries; what was not given is left to the server."""
    options: dict[str, Any] = {"model": server.model}
    if sampling.temperature is not None:
        options["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        options["top_p"] = sampling.top_p
    if sampling.max_tokens is not None:
        options["max_tokens"] = sampling.max_tokens
    if sampling.stop:
        options["stop"] = list(sampling.stop)
    if sampling.top_k is not None:
        options["top_k"] = sampling.top_k
    if server.logprobs:
        options |= {"logprobs": True, "return_token_ids": True}
    return options
