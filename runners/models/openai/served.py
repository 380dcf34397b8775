"""Which models a server serves, and how long their context is where it tells."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.models.openai.documents import MalformedError
from turnwise.runners.models.openai.errors import RedirectError, ServerGoneError, StatusError, WireError, sort_error
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.openai.wire import Wire
from turnwise.runners.models.sampler import RequestError
from turnwise.texts import encodable

_MOST_MODELS = 10_000
_LONGEST_NAME = 300
_MOST_TOKENS = 10**9
# The names that servers have for it: vLLM and SGLang, llama.cpp, hosted ones.
_LENGTHS = ("max_model_len", "n_ctx", "loaded_context_length", "context_length", "max_context_length", "context_window")


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


async def _get(server: Server, path: str, timeout: float) -> Any:
    wire = Wire(server)
    try:
        async with asyncio.timeout(timeout):
            return await wire.get(path)
    finally:
        await wire.close()


def _read_models(page: Any) -> tuple[ServedModel, ...]:
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


def _length(entry: Any) -> int | None:
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
