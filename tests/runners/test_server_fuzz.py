"""A whole client against a live server that answers anything: each request ends in a reply or one failed request."""

import asyncio
import gzip
import json
import resource
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from test_openai_faults import REQUEST

from turnwise.errors import TurnwiseError
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Reply
from turnwise.runners.models.gate import Gate, Slot
from turnwise.runners.models.openai.model import OpenAIModel
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.sampler import ContextOverflowError, RequestError

GOOD = json.dumps(
    {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "h\u00e9llo"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    },
    ensure_ascii=False,
)
STREAM = (
    'data: {"choices": [{"index": 0, "delta": {"content": "h\u00e9llo"}}]}\n\n'
    'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
)
ERROR = '{"error": {"message": "context_length_exceeded", "code": 400}}'
TIMEOUT_SECONDS = 0.3
_MIB = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What the server writes, in what pieces, and how it ends: ``close``, ``keep``, ``endless`` or ``drip``."""

    head: bytes
    body: bytes
    end: str
    is_streamed: bool


def _framed(framing: str, body: bytes) -> tuple[str, bytes]:
    if framing == "chunked":
        return "transfer-encoding: chunked\r\n", b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    if framing == "wrong chunks":
        return "transfer-encoding: chunked\r\n", b"%x\r\n%s\r\nzz\r\n" % (len(body) + 7, body)
    if framing == "no number":
        return "transfer-encoding: chunked\r\n", b"xyz\r\n" + body
    lengths = {"right": len(body), "short": len(body) // 2, "long": len(body) + 9, "giant": 10**15, "minus": -1}
    if framing in lengths:
        return f"content-length: {lengths[framing]}\r\n", body
    if framing == "both":
        return f"content-length: {len(body)}\r\ntransfer-encoding: chunked\r\n", body
    return {"twice": "content-length: 1\r\ncontent-length: 2\r\n"}.get(framing, ""), body


def _packed(packing: str, body: bytes) -> tuple[str, bytes]:
    if packing == "none":
        return "", body
    data = {"gzip": lambda: gzip.compress(body), "bomb": _bomb, "cut": lambda: gzip.compress(body)[:-9]}
    return f"content-encoding: {packing if packing == 'br' else 'gzip'}\r\n", data.get(packing, lambda: body)()


def _bomb() -> bytes:
    return _BOMB


_BOMB = gzip.compress(bytes(64 * _MIB), 9)
_HEADERS = [
    "", "location: /v1/chat/completions\r\n", "location: http://elsewhere.example/\r\n", "location: \x00\r\n",
    "location: http://[::1\r\n", "retry-after: nan\r\n", "retry-after: 0\r\n", "retry-after: -1e400\r\n",
    "retry-after: Fri, 99 Foo\r\n", "set-cookie: a\r\n", "x: " + "y" * 70_000 + "\r\n", "no colon\r\n", ": \r\n",
    "\xff: \xfe\r\n", "z: z\r\n" * 150,
]  # fmt: skip
_TYPES = [
    "application/json", "text/event-stream", "application/json; charset=utf-16", "text/html; charset=nonsense", "\xff",
]  # fmt: skip
_STATUS = ["HTTP/1.1 %d OK", "HTTP/1.0 %d", "HTTP/2 %d OK", "SSH-2.0", "", "HTTP/1.1 %d \xff\x00", "ICY %d OK"]


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Return an answer: mostly what HTTP allows, with any one part broken."""
    good = st.sampled_from([GOOD, STREAM, ERROR])
    text = draw(good)
    body = draw(
        st.sampled_from([text.encode(), text.encode("latin-1"), text.encode("utf-16"), text.encode()[: len(text) // 2]])
        | st.binary(max_size=80)
        | st.tuples(st.integers(0, 60), st.binary(max_size=6)).map(
            lambda cut: text.encode()[: cut[0]] + cut[1] + text.encode()[cut[0] :]
        )
    )
    encoding, body = _packed(draw(st.sampled_from(["none"] * 6 + ["gzip", "bomb", "cut", "not", "br"])), body)
    framings = ["right"] * 8 + ["chunked"] * 4 + ["none", "short", "long", "giant", "minus", "both", "twice"]
    length, body = _framed(draw(st.sampled_from([*framings, "wrong chunks", "no number"])), body)
    status = draw(st.sampled_from([200] * 6 + [400, 429, 500, 503, 307, 302, 204, 304, 404, 101, 100, 999, 0, -1]))
    line = draw(st.sampled_from(_STATUS[:1] * 12 + _STATUS))
    line = line % status if "%" in line else line
    kind = f"content-type: {draw(st.sampled_from(_TYPES))}\r\n"
    head = f"{line}\r\n{kind}{length}{encoding}{draw(st.sampled_from([''] * 10 + _HEADERS))}\r\n"
    end = draw(st.sampled_from(["close"] * 6 + ["keep"] * 12 + ["endless", "drip"]))
    return Answer(head.encode("latin-1"), body, end, draw(st.booleans()))


class _Server:
    """Answers the first request for a completion with ``answer``, and what comes after with a good one."""

    def __init__(self) -> None:
        self.answer: Answer | None = None

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                sizes = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")]
                await reader.readexactly(sum(sizes))
                chosen, self.answer = (None, self.answer) if b"/models" in head else (self.answer, None)
                if chosen is None:
                    data = GOOD.encode()
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(data), data))
                elif not await self._write(chosen, writer):
                    break
                await writer.drain()
        writer.close()

    async def _write(self, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        """Write an answer, in two pieces; return whether the connection stays."""
        writer.write(answer.head + answer.body[:20])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(answer.body[20:])
        while answer.end == "endless":
            writer.write(b'"' + b"x" * 65_536)
            await writer.drain()
        while answer.end == "drip":
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(TIMEOUT_SECONDS / 20)
        return answer.end == "keep"


class _ProbingGate(Gate):
    """Lets each request stream, or none."""

    is_probing = False

    @asynccontextmanager
    async def slot(self, *, urgent: bool) -> AsyncIterator[Slot]:
        async with super().slot(urgent=urgent) as slot:
            slot.is_probe = self.is_probing
            yield slot


def _fuzz(examples: int) -> dict[str, int]:
    """Ask ``examples`` times; return how many requests ended in which way."""
    counts: dict[str, int] = {}
    with asyncio.Runner() as runner:
        server, gate = _Server(), _ProbingGate(2)
        listening = runner.run(_listen(server.connected))
        port = listening.sockets[0].getsockname()[1]
        place = Server(
            f"http://127.0.0.1:{port}/v1", "tiny", timeout=TIMEOUT_SECONDS, max_retries=0, backoff=0.0001, outage=600
        )
        model = OpenAIModel(place, Sampling(max_tokens=9))
        model.gate = gate

        @given(answers())
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(answer: Answer) -> None:
            server.answer, gate.is_probing, model._failed_in_a_row = answer, answer.is_streamed, 0
            found = runner.run(_outcome(model))
            assert isinstance(found, Reply) or str(found).strip()
            counts[type(found).__name__] = counts.get(type(found).__name__, 0) + 1

        ask()
        runner.run(model.close())
        listening.close()
    return counts


async def _listen(connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]) -> asyncio.Server:
    return await asyncio.start_server(connected, "127.0.0.1", 0)


async def _outcome(model: OpenAIModel) -> Reply | Exception:
    """Return the reply, or the error if it is one that a run expects; all others are raised."""
    try:
        async with asyncio.timeout(20):  # a request that never ends is the fault that is looked for
            return await model.generate(REQUEST)
    except (RequestError, ContextOverflowError, TurnwiseError) as error:
        return error


def test_whatever_a_server_answers_is_a_reply_or_one_failed_request() -> None:
    """Status, headers, framing, packing, body: none of it raises anything else, or is waited for without end."""
    counts = _fuzz(100)
    assert sum(counts.values()) >= 100 and {"Reply", "RequestError"} <= counts.keys()


@pytest.mark.long
def test_very_many_answers_of_a_live_server_cost_bounded_memory() -> None:
    """The same, for longer, endless and packed bodies among them."""
    _fuzz(100)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts = _fuzz(6000)
    assert sum(counts.values()) >= 6000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10, counts
