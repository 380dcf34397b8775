"""HTTP between us and a compatible server: one request, one answer, read within limits.

    wire = Wire(server)
    document = await wire.ask("/chat/completions", {"model": ...})

Whatever is read is counted after it was unpacked, so that no body costs memory without bound. A redirect is followed
on the same host alone: the key goes nowhere else. An answer that is an error is a StatusError, whatever its HTTP
status says; what is no answer at all a MalformedError; a connection that fails a WireError. Retries nothing.

Asked by itself, a server tells which models it serves, and some how long their context is.
"""

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import openai

from turnwise.errors import TurnwiseError
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.models.openai.errors import (
    RedirectError,
    ServerGoneError,
    StatusError,
    WireError,
    error_in_document,
    error_of_answer,
    sort_error,
    text_of,
)
from turnwise.runners.models.openai.replies import MalformedError, read_document
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.sampler import RequestError
from turnwise.texts import encodable

MOST_BYTES = 8 << 20  # of a reply: a million tokens of text
MOST_BYTES_WITH_LOGPROBS = 64 << 20
_ERROR_BYTES = 64 << 10
_SHOWN_CHARACTERS = 200
_REDIRECTS = 3
_SAME_METHOD = frozenset({301, 302, 303, 307, 308})
_MOST_MODELS = 10_000
_LONGEST_NAME = 300
_MOST_TOKENS = 10**9
# The names that servers have for it: vLLM and SGLang, llama.cpp, hosted ones.
_LENGTHS = ("max_model_len", "n_ctx", "loaded_context_length", "context_length", "max_context_length", "context_window")


class Wire:
    """The connections to one server; use it in one event loop, and close it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._most_bytes = MOST_BYTES_WITH_LOGPROBS if server.logprobs else MOST_BYTES
        self._most_bytes *= max(1, server.first_turns)
        limits = type(openai.DEFAULT_CONNECTION_LIMITS)(max_connections=None, max_keepalive_connections=None)
        self._client = openai.DefaultAsyncHttpxClient(
            limits=limits, timeout=server.client_timeout(), headers=server.headers(), follow_redirects=False
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, path: str) -> object:
        """Return the JSON document at ``path``, which follows the server's base URL, or is a whole one."""
        async with self._exchange("GET", path, None) as body:
            return _read(b"".join([piece async for piece in body.pieces]))

    async def ask(self, path: str, data: Mapping[str, object]) -> object:
        """Return the JSON document with which the server answers ``data``."""
        async with self._exchange("POST", path, data) as body:
            return _read(b"".join([piece async for piece in body.pieces]))

    async def stream(self, path: str, data: Mapping[str, object]) -> AsyncGenerator[object, None]:
        """Yield the documents of a stream of events; a server that answers whole all the same gives one document."""
        async with self._exchange("POST", path, data) as body:
            if not body.is_stream:
                yield _read(b"".join([piece async for piece in body.pieces]))
                return
            async for event in _events(body.pieces):
                if event == b"[DONE]":
                    return
                yield _read(event)

    @asynccontextmanager
    async def _exchange(self, method: str, path: str, data: Mapping[str, object] | None) -> AsyncIterator["_Body"]:
        """Yield the body of an answer that is none of an error."""
        url = path if "://" in path else self._server.url(path)
        content = (
            None if data is None else json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        )
        try:
            for _ in range(_REDIRECTS + 1):
                async with self._client.stream(method, url, content=content) as response:
                    if response.status_code in _SAME_METHOD:
                        url = _redirected(response)
                        continue
                    if response.status_code != 200:
                        text = await _beginning(response)
                        raise error_of_answer(response.status_code, response.reason_phrase, response.headers, text)
                    yield _Body(response, self._most_bytes)
                    return
            raise RedirectError("the server redirects in a circle")
        except (MalformedError, StatusError, RedirectError, WireError):
            raise
        except Exception as error:  # whatever the client and its transport raise, of one of several packages
            raise _failure(error) from None


class _Body:
    """The body of an answer: its bytes as they come, unpacked, counted."""

    def __init__(self, response: Any, most_bytes: int) -> None:
        self.is_stream = "event-stream" in response.headers.get("content-type", "")
        self.pieces = _unpacked(response, most_bytes)


async def _unpacked(response: Any, most_bytes: int) -> AsyncIterator[bytes]:
    """Yield the bytes of a body; raises MalformedError beyond ``most_bytes``."""
    encoding = response.headers.get("content-encoding", "").strip().lower() or "identity"
    if encoding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise MalformedError(f"it is packed as {encoding[:20]!r}, which was not asked for")
    unpacker = None if encoding == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 32)
    size = 0
    async for raw in response.aiter_raw():
        try:
            piece = raw if unpacker is None else unpacker.decompress(raw, most_bytes - size + 1)
        except zlib.error:
            raise MalformedError(f"it is no {encoding}") from None
        size += len(piece)
        if size > most_bytes:
            raise MalformedError(f"it is longer than {most_bytes >> 20} MiB")
        yield piece


async def _beginning(response: object) -> bytes:
    """Return the beginning of the body of an error; what breaks off is as good."""
    text = bytearray()
    try:
        async for piece in _unpacked(response, _ERROR_BYTES):
            text += piece
    except MalformedError:
        pass
    return bytes(text[:_ERROR_BYTES])


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the data of each event of a stream; comments and other fields are left out."""
    rest, data = bytearray(), bytearray()
    async for piece in pieces:
        start = max(0, len(rest) - 1)
        rest += piece
        if b"\n" not in rest[start:]:
            continue
        *lines, left = bytes(rest).split(b"\n")
        rest = bytearray(left)
        for line in lines:
            field = line.rstrip(b"\r")
            if field.startswith(b"data:"):
                data += (b"\n" if data else b"") + field.removeprefix(b"data:").strip()
            elif not field and data:
                yield bytes(data)
                data.clear()
    if rest.startswith(b"data:"):
        data += (b"\n" if data else b"") + bytes(rest).removeprefix(b"data:").strip()
    if data:
        yield bytes(data)


def _read(data: bytes) -> object:
    """Return the document in ``data``; raises StatusError where it is an error, whatever the HTTP status was."""
    try:
        document = read_document(data)
    except MalformedError as failure:
        words = text_of(data[:_ERROR_BYTES])[:_SHOWN_CHARACTERS]
        is_page = bool(words) and "{" not in words and "[" not in words  # of a proxy, say, rather than half an answer
        raise MalformedError(f"{failure}: {words}" if is_page else str(failure)) from None
    error = error_in_document(document)
    if error is not None:
        raise error
    return document


def _redirected(response: Any) -> str:
    """Return where the server sends us; raises RedirectError unless that is the same host."""
    here = response.request.url
    there = here.join(response.headers.get("location", ""))
    is_upgrade = (here.scheme, there.scheme) == ("http", "https")
    if there.host != here.host or not (is_upgrade or (there.scheme, there.port) == (here.scheme, here.port)):
        raise RedirectError(f"the server redirects to another one, {there.scheme}://{there.host[:100]}")
    return str(there)


def _failure(error: Exception) -> WireError:
    name = type(error).__name__
    reason = f"the connection failed: {' '.join(str(error).split()) or name}"
    return WireError(reason, is_unheard=name == "ConnectError", is_timeout="Timeout" in name)


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model by its name; ``max_length`` is its context in tokens, None where the server does not tell."""

    name: str
    max_length: int | None = None


def served_models(server: Server, *, timeout: float) -> tuple[ServedModel, ...]:
    """Return the models at ``server``, none where it does not tell.

    Raises TurnwiseError if it refuses the key, or does not answer within ``timeout`` seconds.
    """
    try:
        with InterruptibleRunner() as runner:
            return _read_models(runner.run(_get(server, "/models", timeout)))
    except StatusError as error:
        if error.status in (404, 405, 501):
            return ()
        raise _stop(error, server) from None
    except (MalformedError, RedirectError, WireError, TimeoutError) as error:
        raise _stop(error, server) from None


def context_length(server: Server, served: Sequence[ServedModel], *, timeout: float) -> int | None:
    """Return the context of the server's model in tokens, None where nothing tells it; llama.cpp's own page is asked.

    A model that is served alone is the one meant, whatever its name.
    """
    found = {one.name: one.max_length for one in served}
    length = found.get(server.model) or (served[0].max_length if len(served) == 1 else None)
    if length is not None:
        return length
    try:
        with InterruptibleRunner() as runner:
            page = runner.run(_get(server, server.root_url("/props"), timeout))
    except (MalformedError, RedirectError, StatusError, WireError, TimeoutError):
        return None
    settings = page.get("default_generation_settings") if isinstance(page, dict) else None
    return _length(settings) or _length(page)


async def _get(server: Server, path: str, timeout: float) -> object:
    wire = Wire(server)
    try:
        async with asyncio.timeout(timeout):
            return await wire.get(path)
    finally:
        await wire.close()


def _read_models(page: object) -> tuple[ServedModel, ...]:
    """Return what a page of models says; what is no model in it is left out."""
    entries = page.get("data") if isinstance(page, dict) else page
    if not isinstance(entries, list):
        return ()
    found = []
    for entry in entries[:_MOST_MODELS]:
        name = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and encodable(name) == name:
            found.append(ServedModel(name, _length(entry) or _length(entry.get("meta"))))
    return tuple(found)


def _length(entry: object) -> int | None:
    if not isinstance(entry, Mapping):
        return None
    lengths = [entry.get(name) for name in _LENGTHS]
    return next((one for one in lengths if type(one) is int and 0 < one <= _MOST_TOKENS), None)


def _stop(error: Exception, server: Server) -> TurnwiseError:
    found = sort_error(error, server)
    if isinstance(found, TurnwiseError):
        return found
    if isinstance(error, RedirectError) and isinstance(found, RequestError):
        return TurnwiseError(f"At {server.place} {found}.")
    if isinstance(error, MalformedError):
        return TurnwiseError(
            f"At {server.place} no model's server answers ({found}): mend base_url, which mostly ends in /v1."
        )
    return ServerGoneError(server.place, str(found))
