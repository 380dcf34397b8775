"""A small server with the chat and completion routes of OpenAI; it answers from a script and keeps what was asked.

Public test double: ``ChatServer(answer)`` calls ``answer(request)`` for the text of each reply; an ``Answer``
says more (a status, content None). ``recorded`` answers from a file of recorded dialogues of the bundled sample.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from turnwise.benchmarks.catalog import BENCHMARKS, load_problems
from turnwise.runners.replay import ReplaySampler
from turnwise.runners.sampler import Request
from turnwise.tasks.trajectory import dialogue_seed

ANSWERS = Path(str(resources.files("turnwise.benchmarks"))) / "sample" / "answers"


@dataclass(frozen=True)
class Asked:
    """One request: its route, its body, and the place in its dialogue that the messages and the seed tell."""

    route: str
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """All that was said so far."""
        if "prompt" in self.body:
            return str(self.body["prompt"])
        return "\n".join(str(message["content"]) for message in self.body["messages"])

    @property
    def turn(self) -> int:
        """How many replies went before."""
        return sum(message["role"] == "assistant" for message in self.body.get("messages", ()))

    @property
    def seed(self) -> int | None:
        """The seed that was sent."""
        seed = self.body.get("seed")
        return seed if isinstance(seed, int) else None


@dataclass(frozen=True)
class Answer:
    """A reply with its status; content None is what a model that only thought gives."""

    content: str | None
    status: int = 200
    extra: dict[str, Any] = field(default_factory=dict)


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that were killed."""


class ChatServer:
    """A server on a port of its own; ``asked`` holds the requests in the order they came."""

    def __init__(self, answer: Callable[[Asked], str | Answer]) -> None:
        self.asked: list[Asked] = []
        self.answered: list[Asked] = []
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked = Asked(self.path, body)
                with outer._lock:
                    outer.asked.append(asked)
                given = answer(asked)
                reply = given if isinstance(given, Answer) else Answer(given)
                with outer._lock:
                    outer.answered.append(asked)
                self._send(reply)

            def _send(self, reply: Answer) -> None:
                data: dict[str, Any] = {"error": {"message": reply.content}}
                if reply.status == 200:
                    message = {"role": "assistant", "content": reply.content, **reply.extra}
                    choice = {"index": 0, "message": message, "text": reply.content, "finish_reason": "stop"}
                    data = {"choices": [choice]}
                payload = json.dumps(data).encode()
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: object) -> None:
                pass

        self._server = _QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(answer: Callable[[Asked], str | Answer]) -> Iterator[ChatServer]:
    """Yield a server that answers with ``answer``."""
    server = ChatServer(answer)
    try:
        yield server
    finally:
        server.close()


def recorded(model: str, benchmarks: tuple[str, ...], *, samples: int = 2, seed: int = 0) -> Callable[[Asked], str]:
    """Return answers from the recording of ``model``: the problem by its statement, the sample by the seed."""
    sampler = ReplaySampler(ANSWERS / f"{model}.jsonl", benchmarks=benchmarks)
    statements = {
        problem.statement.strip(): problem.id
        for name in benchmarks
        for problem in load_problems(BENCHMARKS[name].name).scorable
    }

    def answer(asked: Asked) -> str:
        problem = next(one for statement, one in statements.items() if statement in asked.text)
        of_sample = {dialogue_seed(seed, "", sample, asked.turn, 0): sample for sample in range(samples)}
        sample = of_sample.get(asked.seed or 0, 0)
        reply = sampler.answer(Request("", problem, sample, asked.turn, 0, (), 0))
        return "I have nothing more to say." if reply is None else reply.text

    return answer
