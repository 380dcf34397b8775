"""A simulated server with continuous batching, as a process of its own: ``python batching_server.py BATCH``.

Prints its port. It runs up to BATCH requests at a time in order of arrival. A step takes longer the more
it runs; a new request is first read, at so many tokens a step and all others waiting, without the messages
that its prefix cache still holds (least recently used, room for CACHED contexts). Lengths of answers are
log-normal, drawn from the request, so that every client gets the same ones. ``GET /timeline`` returns, for
each change, [seconds of the monotonic clock, running, at the server]; a POST there begins anew.
"""

import asyncio
import hashlib
import heapq
import json
import random
import sys
import time
from collections import OrderedDict, deque
from typing import Any

from http_layer import Exchange, HttpServer

STEP_SECONDS = 0.040
STEP_SECONDS_PER_REQUEST = 0.00005
TOKENS_PER_STEP = 8  # of each answer: as many steps of a real engine in one of ours
READ_TOKENS_PER_SECOND = 60_000.0
CACHED_CONTEXTS = 1.5  # of the batch
MEAN_TOKENS, SIGMA = 500.0, 0.8
CHARACTERS_PER_TOKEN = 4


class BatchingServer:
    """One model; ``batch`` is what it runs at a time."""

    def __init__(self, batch: int) -> None:
        self._batch = batch
        self._queue: deque[tuple[dict[str, Any], asyncio.Future[int], asyncio.Future[int]]] = deque()
        self._running: list[tuple[int, int, asyncio.Future[int]]] = []
        self._wake = asyncio.Event()
        self._number = self._step = 0
        self._cache: OrderedDict[bytes, int] = OrderedDict()
        self._cached = 0
        self.read_tokens = self.asked_tokens = 0
        self.timeline: list[tuple[float, int, int]] = []

    async def handle(self, exchange: Exchange) -> None:
        """Answer a completion, the models, or the timeline."""
        if exchange.path.endswith("/models"):
            await exchange.send_json({"object": "list", "data": [{"id": "simulated", "object": "model"}]})
        elif exchange.path.endswith("/timeline"):
            shares = {"read": self.read_tokens, "asked": self.asked_tokens}
            await exchange.send_json({"timeline": self.timeline, **shares})
            if exchange.body is not None:
                self.timeline, self.read_tokens, self.asked_tokens = [], 0, 0
                self._cache.clear()
        else:
            await self._complete(exchange)

    async def _complete(self, exchange: Exchange) -> None:
        loop = asyncio.get_running_loop()
        begun, ended = loop.create_future(), loop.create_future()
        self._queue.append((exchange.body, begun, ended))
        self._note()
        self._wake.set()
        text = answer_text(exchange.body)
        if not exchange.body.get("stream"):
            tokens = await ended
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            await exchange.send_json({"choices": [choice], **_usage(tokens)})
            return
        await exchange.begin_stream()
        tokens = await begun
        for part in range(0, tokens, TOKENS_PER_STEP):
            delta = {"content": text if not part else "\n"}
            await exchange.send_event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            await asyncio.sleep(0 if ended.done() else STEP_SECONDS)
        await ended
        await exchange.send_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await exchange.send_event({"choices": [], **_usage(tokens)})
        await exchange.send_event("[DONE]")
        await exchange.end_stream()

    async def run(self) -> None:
        """Step by step, for ever."""
        due = time.monotonic()
        while True:
            if not self._queue and not self._running:
                self._wake.clear()
                await self._wake.wait()
                due = time.monotonic()
            seconds = STEP_SECONDS + STEP_SECONDS_PER_REQUEST * len(self._running)
            while self._queue and len(self._running) < self._batch:
                seconds += self._begin(*self._queue.popleft())
            self._note()
            due = max(due + seconds, time.monotonic() - 0.1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._step += 1
            while self._running and self._running[0][0] <= self._step:
                length, _, ended = heapq.heappop(self._running)
                ended.set_result(length)
            self._note()

    def _begin(self, body: dict[str, Any], begun: asyncio.Future[int], ended: asyncio.Future[int]) -> float:
        tokens = answer_tokens(body)
        self._number += 1
        heapq.heappush(self._running, (self._step + 1 + tokens // TOKENS_PER_STEP, self._number, ended))
        begun.set_result(tokens)
        return self._read(body["messages"], tokens) / READ_TOKENS_PER_SECOND

    def _read(self, messages: list[dict[str, str]], answer: int) -> int:
        """Return how many tokens have to be read, and remember the context."""
        digest, unread, total = hashlib.blake2b(digest_size=8), 0, 0
        for message in messages:
            size = len(message["content"]) // CHARACTERS_PER_TOKEN
            digest.update(message["content"].encode())
            key = digest.digest()
            total += size
            if key not in self._cache or unread:
                unread += size
            self._remember(key, size + (answer if message is messages[-1] else 0))
        self.asked_tokens += total
        self.read_tokens += unread
        return unread

    def _remember(self, key: bytes, size: int) -> None:
        self._cached += size - self._cache.pop(key, 0)
        self._cache[key] = size
        while self._cached > CACHED_CONTEXTS * self._batch * 2 * MEAN_TOKENS:
            self._cached -= self._cache.popitem(last=False)[1]

    def _note(self) -> None:
        self.timeline.append((time.monotonic(), len(self._running), len(self._running) + len(self._queue)))


def answer_tokens(body: dict[str, Any]) -> int:
    """Return the length of the answer: log-normal, MEAN_TOKENS on average."""
    draw = random.Random(f"{body['seed']} {len(body['messages'])}")
    return max(1, int(draw.lognormvariate(0, SIGMA) * MEAN_TOKENS / 2.718281828 ** (SIGMA**2 / 2)))


def answer_text(body: dict[str, Any]) -> str:
    """Return a program that says whether it is right, and is as long as its tokens."""
    turn = sum(message["role"] == "assistant" for message in body["messages"])
    word = "right" if random.Random(f"{body['seed']} right").random() < (0.3, 0.3, 0.0)[turn] else "wrong"
    filler = "# " + "x" * 76 + "\n"
    lines = answer_tokens(body) * CHARACTERS_PER_TOKEN // len(filler)
    return f"Here.\n```python\n{word} {body['seed']}\n{filler * lines}```\n"


def _usage(tokens: int) -> dict[str, Any]:
    return {"usage": {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}}


async def main() -> None:
    """Serve until the process is ended."""
    batching = BatchingServer(int(sys.argv[1]))
    server = HttpServer(batching.handle)
    await server.start()
    print(json.dumps({"port": server.port}), flush=True)
    await batching.run()


if __name__ == "__main__":
    asyncio.run(main())
