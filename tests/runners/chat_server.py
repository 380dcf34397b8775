"""An OpenAI-compatible server for tests, in a thread of its own: deterministic, with faults on demand.

    with ChatServer(lambda body: Completion("hello")) as server:
        ...  # server.base_url, server.bodies

``answer`` gets the JSON of a request, of a chat or a plain completion, and returns a Completion, or a Fault to
commit instead. It runs in the server's thread, so that a Completion, not ``answer``, takes time.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from http_layer import Exchange, HttpServer


@dataclass(frozen=True)
class Completion:
    """What the model says, and how long it takes (seconds); ``others`` are its choices besides, where ``n`` asks.

    ``prompt_tokens`` is what the server counts, by default more with every message.
    """

    text: str | None
    reasoning: str = ""
    finish_reason: str = "stop"
    seconds: float = 0.0
    token_ids: tuple[int, ...] = ()
    others: tuple[str, ...] = ()
    prompt_tokens: int = 0


@dataclass(frozen=True)
class Fault:
    """What goes wrong: ``kind`` is status, reset, half, trickle, not_json, wrong_shape or silence."""

    kind: str
    status: int = 500
    headers: str = ""
    error: dict[str, Any] = field(default_factory=lambda: {"message": "something broke"})


# What the body of a request on each route must hold.
_ASKS_BY = {"/v1/chat/completions": "messages", "/v1/completions": "prompt"}
Answer = Callable[[dict[str, Any]], Completion | Fault]


class ChatServer:
    """Serves one model named ``tiny``; use ``with``. ``bodies`` are the requests so far, ``now`` how many are open.

    With a ``context`` it counts tokens too, as vLLM does: a token a word.
    """

    def __init__(self, answer: Answer, *, port: int = 0, context: int = 0) -> None:
        self._answer = answer
        self._context = context
        self.port = port
        self.bodies: list[dict[str, Any]] = []
        self.now = 0

    @property
    def base_url(self) -> str:
        """What clients take."""
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server, connections included."""
        with suppress(RuntimeError):  # it has ended
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _run(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = HttpServer(self._handle)
        await server.start(port=self.port)
        self.port = server.port
        ready.set()
        await self._end.wait()
        await server.stop()

    async def _handle(self, exchange: Exchange) -> None:
        if exchange.path.endswith("/models"):
            await exchange.send_json({"object": "list", "data": [{"id": "tiny", "object": "model"}]})
            return
        if exchange.path == "/tokenize" and self._context:
            count = sum(len(message["content"].split()) for message in exchange.body["messages"])
            await exchange.send_json({"count": count, "max_model_len": self._context})
            return
        if _ASKS_BY.get(exchange.path) not in (exchange.body or {}):
            await exchange.send_json({"detail": "Not Found"}, status=404)
            return
        self.bodies.append(exchange.body)
        self.now += 1
        try:
            found = self._answer(exchange.body)
            if isinstance(found, Fault):
                await _commit(found, exchange)
                return
            await asyncio.sleep(found.seconds)
            await (_stream if exchange.body.get("stream") else _send)(found, exchange)
        finally:
            self.now -= 1


async def _send(said: Completion, exchange: Exchange) -> None:
    await exchange.send_json(completion_json(said, exchange.body))


def completion_json(said: Completion, body: dict[str, Any]) -> dict[str, Any]:
    """Return a chat completion, or a plain one for a prompt."""
    choice: dict[str, Any] = {"index": 0, "finish_reason": said.finish_reason}
    if "prompt" in body:
        choice["text"] = said.text
    else:
        choice["message"] = {"role": "assistant", "content": said.text}
        if said.reasoning:
            choice["message"]["reasoning_content"] = said.reasoning
    if body.get("return_token_ids"):
        choice |= _token_ids(said)
    choices = [choice]
    for index, text in enumerate(said.others, 1):
        message = {**choice["message"], "content": text}
        choices.insert(0, {**choice, "index": index, "message": message})  # in any order
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "tiny",
        "choices": choices,
        **_usage(said, body),
    }


def _token_ids(said: Completion) -> dict[str, Any]:
    logprobs = [{"token": "t", "logprob": -one / 8, "bytes": None} for one in said.token_ids]
    return {"token_ids": list(said.token_ids), "logprobs": {"content": logprobs}}


def _usage(said: Completion, body: dict[str, Any]) -> dict[str, Any]:
    prompt, completion = (
        said.prompt_tokens or 9 + len(body.get("messages", "..")),
        max(1, len((said.text or "") + "".join(said.others)) // 4),
    )
    return {"usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}}


async def _stream(said: Completion, exchange: Exchange) -> None:
    common = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "tiny"}
    await exchange.begin_stream()
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": word} for word in said.reasoning.splitlines(keepends=True)]
    deltas += [{"content": word} for word in (said.text or "").splitlines(keepends=True)]
    for delta in deltas:
        choice: dict[str, Any] = {"index": 0, "delta": delta, "finish_reason": None}
        await exchange.send_event({**common, "choices": [choice]})
    last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": said.finish_reason}
    if exchange.body.get("return_token_ids"):
        last |= _token_ids(said)
    await exchange.send_event({**common, "choices": [last]})
    await exchange.send_event({**common, "choices": [], **_usage(said, exchange.body)})
    await exchange.send_event("[DONE]")
    await exchange.end_stream()


async def _commit(fault: Fault, exchange: Exchange) -> None:
    whole = completion_json(Completion("never whole"), exchange.body)
    if fault.kind == "status":
        await exchange.send_json({"error": fault.error}, status=fault.status, headers=fault.headers)
    elif fault.kind == "reset":
        exchange.hang_up(reset=True)
    elif fault.kind == "half":
        await exchange.send_bytes(str(whole).encode()[:40], length=400)
        exchange.hang_up()
    elif fault.kind == "not_json":
        await exchange.send_bytes(b'{"choices": [{"message"')
    elif fault.kind == "wrong_shape":
        await exchange.send_json({"choices": [{"text": 3}]})
    elif fault.kind == "silence":
        await asyncio.sleep(30)
    elif fault.kind == "trickle":
        with suppress(ConnectionError):
            await exchange.send_bytes(b"", length=100_000)
            for _ in range(300):
                exchange._writer.write(b" ")  # a byte at a time never lets a read time out
                await exchange._writer.drain()
                await asyncio.sleep(0.1)
    else:
        raise ValueError(fault.kind)
