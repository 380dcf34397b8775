"""What can go wrong between a compatible server and us, sorted by what has to be done about it.

* the request is at fault: RequestError, that dialogue is missing; ContextOverflowError, it has failed;
* the provider withholds the reply: WithheldError, an outcome too;
* the server, or the way to it, is at the moment: TransientError, ask again; with ``is_busy`` after slowing down;
* the whole run is: TurnwiseError, which stops it, with what to do. Nothing is lost; the same line goes on.
"""

import asyncio
import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.runners.models.openai.replies import MalformedError, read_document
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.sampler import ContextOverflowError, RequestError, is_overflow
from turnwise.texts import printable

GO_ON = "then run the same line again, which goes on where this attempt stopped"
REFUSED = frozenset({400, 413, 422})
_OVERFLOWN = REFUSED | {500}  # some servers have no better status for it
_WITHHELD = frozenset({400, 403, 422, 451})
_RETRIED = frozenset({408, 409, 425})
_BUSY = frozenset({429, 503, 529})
_SHOWN_CHARACTERS = 300
_LONGEST_WAIT_SECONDS = 3600.0  # then it is asked again, whatever it said: a run that waits for ever tells nothing
_DEPTH = 6
_MOST_PARTS = 8

# How providers say that they, not the model, refuse.
_POLICY = re.compile(
    r"content[ _-]?(?:filter|policy|management)|ResponsibleAIPolicy|data_?inspection_?failed|prohibited_content"
    r"|flagged|moderation|safety (?:system|filter|settings|policy)|sensitive content|inappropriate content",
    re.IGNORECASE,
)
# The status that an error object's own name for it means, where it holds no number.
_BY_NAME = (
    (401, re.compile(r"invalid_api_key|authentication|unauthori[sz]ed|unauthenticated", re.IGNORECASE)),
    (402, re.compile(r"insufficient_(?:quota|balance|funds|credits?)|payment_required", re.IGNORECASE)),
    (429, re.compile(r"rate_?limit|too_?many|resource_?exhausted|throttl|quota", re.IGNORECASE)),
    (503, re.compile(r"overloaded|unavailable|engine_?busy|capacity", re.IGNORECASE)),
    (404, re.compile(r"model_not_found|not_found", re.IGNORECASE)),
    (403, re.compile(r"permission|forbidden", re.IGNORECASE)),
    (400, re.compile(r"bad_?request|invalid|context_length|exceed_context|content_filter", re.IGNORECASE)),
)
_NAMES = ("code", "type", "status", "error_code")
_NUMBERS = ("code", "status", "status_code", "http_status", "error_code", "statusCode")
_INSIDE = (
    *("error", "errors", "detail", "details", "message", "msg", "error_message", "error_msg", "metadata", "raw"),
    *("base_resp", "status_msg"),
)


class WireError(Exception):
    """The connection failed; ``is_unheard``: the request never came to the server."""

    def __init__(self, reason: str, *, is_unheard: bool = False, is_timeout: bool = False) -> None:
        super().__init__(reason)
        self.is_unheard = is_unheard
        self.is_timeout = is_timeout


class RedirectError(Exception):
    """The server sends us to another one."""


class StatusError(Exception):
    """An answer that is an error: its status, its words, the server's names for it, the wait it asks for (seconds)."""

    def __init__(self, status: int, words: str, *, names: str = "", wait_seconds: float | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.names = names
        self.wait_seconds = wait_seconds


class WithheldError(Exception):
    """The provider does not give the model's reply: an outcome of the model, named and counted."""


class TransientError(Exception):
    """A request that failed for now; ``wait_seconds`` is what the server asked for.

    ``is_unheard``: it never came to the server, so the failure says nothing of the request.
    """

    def __init__(
        self,
        reason: str,
        *,
        is_unheard: bool = False,
        is_busy: bool = False,
        is_timeout: bool = False,
        wait_seconds: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.is_unheard = is_unheard
        self.is_busy = is_busy
        self.is_timeout = is_timeout
        self.wait_seconds = wait_seconds


class ServerGoneError(InfrastructureError):
    """The server does not answer any more."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"The model's server at {place} does not answer ({reason}): start it, {GO_ON}.")


def sort_error(error: Exception, server: Server) -> Exception:
    """Return what to raise instead of ``error``, which came while asking ``server``."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return TransientError("no answer in time", is_timeout=True)
    if isinstance(error, MalformedError):
        return TransientError(f"the answer cannot be read: {_short(str(error), server)}")
    if isinstance(error, RedirectError):
        return RequestError(f"{_short(str(error), server)}, which is not followed: give its address as base_url")
    if isinstance(error, WireError):
        if error.is_timeout and not error.is_unheard:
            return TransientError("no answer in time", is_timeout=True)
        return TransientError(_short(str(error), server), is_unheard=error.is_unheard)
    if not isinstance(error, StatusError):
        return error
    status, words = error.status, _short(error.words, server)
    whole = f"{error.names} {error.words}"
    if status in _OVERFLOWN and is_overflow(whole):
        return ContextOverflowError(words)
    if status in _WITHHELD and _POLICY.search(whole):
        return WithheldError(words)
    if status in REFUSED:
        return RequestError(f"HTTP {status}: {words}")
    return _sort_status(error, words, server)


def _sort_status(error: StatusError, words: str, server: Server) -> Exception:
    """Return what an error of the server, or of the whole run, is; the request is not at fault."""
    status, place = error.status, server.place
    if status == 402 or "insufficient_quota" in error.names:
        return TurnwiseError(f"The account at {place} has no credit left ({words}): top it up, {GO_ON}.")
    if status in (401, 403):
        return TurnwiseError(f"The server at {place} refuses the key ({words}): set OPENAI_API_KEY, {GO_ON}.")
    if status == 404:
        return TurnwiseError(
            f"The server at {place} does not serve the model {server.model!r} ({words}): mend -a model= or base_url=."
        )
    if status in _RETRIED or status >= 500 or status in _BUSY:
        return TransientError(f"HTTP {status}: {words}", is_busy=status in _BUSY, wait_seconds=error.wait_seconds)
    return RequestError(f"HTTP {status}: {words}")


def error_of_answer(status: int, reason: str, headers: Mapping[str, str], body: bytes) -> StatusError:
    """Return the error that an answer of another status than 200 is; its body may be anything."""
    wait_seconds = _retry_after(headers)
    try:
        document = read_document(body)
    except MalformedError:
        words = text_of(body)
        return StatusError(status, words or reason or "no reason given", wait_seconds=wait_seconds)
    words = _words(document) or reason or "no reason given"
    return StatusError(status, words, names=_names(document), wait_seconds=wait_seconds)


def error_in_document(document: object) -> StatusError | None:
    """Return the error that a document sent as an answer is, None if it is none; its status is what it says."""
    found = document[0] if isinstance(document, list) and document else document
    if isinstance(found, dict) and found.get("choices"):
        document = found = _broken_off(found)
    if not isinstance(found, dict):
        return None
    is_error = any(found.get(name) for name in ("error", "errors", "detail")) or found.get("object") == "error"
    is_error = is_error or ("message" in found and any(name in found for name in _NUMBERS))
    if not found.get("data") and (found.get("msg") or found.get("base_resp")):  # whose code 0 says that all is well
        is_error = is_error or any(part.get(name) for part in _objects(found) for name in _NUMBERS)
    if not is_error:
        return None
    names, words = _names(document), _words(document) or "no reason given"
    return StatusError(_status_of(document, names, words), words, names=names)


def _broken_off(document: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the error that ended an answer which had begun, as OpenRouter tells it; None where there is none."""
    choice = document["choices"][0] if isinstance(document["choices"], list) else None
    if not isinstance(choice, dict) or choice.get("finish_reason") not in (None, "error"):
        return None
    error = choice.get("error") or document.get("error")
    return {"error": error} if error else None


def _status_of(document: object, names: str, words: str) -> int:
    for part in _objects(document):
        for name in _NUMBERS:
            value = part.get(name)
            number = int(value) if isinstance(value, str) and re.fullmatch(r"[45]\d\d", value) else value
            if type(number) is int and 400 <= number <= 599:
                return number
    if is_overflow(f"{names} {words}"):
        return 400
    return next((status for status, pattern in _BY_NAME if pattern.search(names)), 500)


def _names(document: object) -> str:
    """Return the server's own names for an error: its codes and types, outermost first."""
    found = [part[name] for part in _objects(document) for name in _NAMES if isinstance(part.get(name), str)]
    return " ".join(name[:_SHOWN_CHARACTERS] for name in found[:_MOST_PARTS])


def _objects(document: object, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > _DEPTH:
        return
    if isinstance(document, list):
        for part in document[:_MOST_PARTS]:
            yield from _objects(part, depth + 1)
    elif isinstance(document, dict):
        yield document
        for name in _INSIDE:
            if isinstance(document.get(name), dict | list):
                yield from _objects(document[name], depth + 1)


def _words(document: object, depth: int = 0) -> str:
    """Return what an error says, in whichever of the usual forms it says it."""
    if isinstance(document, str):
        return document[: 4 * _SHOWN_CHARACTERS]
    if depth > _DEPTH or not isinstance(document, dict | list):
        return ""
    if isinstance(document, list):
        parts = [_words(part, depth + 1) for part in document[:_MOST_PARTS]]
    else:
        parts = [_words(document[name], depth + 1) for name in _INSIDE if document.get(name)]
        if isinstance(document.get("loc"), list):  # of FastAPI: which field it is about
            place = ".".join(str(one)[:100] for one in document["loc"][:_MOST_PARTS])
            parts = [f"{place}: {'; '.join(filter(None, parts))}"]
    found = list(dict.fromkeys(filter(None, parts)))
    if not found and isinstance(document, dict):
        found = [f"{name} {document[name]}"[:_SHOWN_CHARACTERS] for name in _NUMBERS if _is_plain(document.get(name))]
    return "; ".join(found)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) or (type(value) is int and abs(value) < 10**6)


def text_of(body: bytes) -> str:
    """Return the text of a body that is no JSON, such as a proxy's page."""
    text = body.decode("utf-8", "replace")
    text = re.sub(r"(?is)<(script|style|head)\b.*?</\1>", " ", text) if "<" in text else text
    return " ".join(unescape(re.sub(r"<[^<>]*>", " ", text)).split())


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds the server asks to wait, an hour at most; None where it does not say, or nothing sensible."""
    for name, factor in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        seconds = _seconds_of(headers.get(name, ""), factor)
        if seconds is not None:
            return min(max(0.0, seconds), _LONGEST_WAIT_SECONDS)
    return None


def _seconds_of(text: str, factor: float) -> float | None:
    """Return a number of seconds, or those until an HTTP date."""
    with suppress(ValueError):
        seconds = float(text) * factor
        return seconds if math.isfinite(seconds) else None
    with suppress(ValueError, TypeError, OverflowError):
        return parsedate_to_datetime(text).timestamp() - time.time()
    return None


def _short(words: str, server: Server) -> str:
    """Return ``words`` on one printable line, bounded, without the key."""
    return printable(server.without_secrets(" ".join(words.split())), limit=_SHOWN_CHARACTERS)
