"""What can go wrong between a compatible server and us, sorted by what has to be done about it.

* the request is at fault: RequestError, that dialogue is missing; ContextOverflowError, it has failed;
* the server, or the way to it, is at the moment: TransientError, ask again; with ``is_busy`` after slowing down;
* the whole run is: TurnwiseError, which stops it, with what to do. Nothing is lost; the same line goes on.
"""

import asyncio
import math
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import openai

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.runners.openai_replies import MalformedError
from turnwise.runners.sampler import ContextOverflowError, RequestError, is_overflow

GO_ON = "then run the same line again, which goes on where this attempt stopped"
REFUSED = frozenset({400, 413, 422})
_RETRIED = frozenset({408, 409, 425})
_BUSY = frozenset({429, 503})
_SHOWN_CHARACTERS = 300
_LONGEST_WAIT_SECONDS = 3600.0  # then it is asked again, whatever it said: a run that waits for ever tells nothing


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

    def __init__(self, base_url: str, reason: str) -> None:
        super().__init__(f"The model's server at {base_url} does not answer ({reason}): start it, {GO_ON}.")


def sort_error(error: Exception, *, base_url: str, model: str) -> Exception:
    """Return what to raise instead of ``error``, which came while asking ``model`` at ``base_url``."""
    if isinstance(error, TimeoutError | asyncio.TimeoutError | openai.APITimeoutError):
        return TransientError("no answer in time", is_timeout=True)
    if isinstance(error, MalformedError):
        return TransientError(f"the answer cannot be read: {error}")
    if not isinstance(error, openai.APIStatusError):
        reason = f"the connection failed: {_short(error.__cause__ or error)}"
        # By its name: the client is built on one of several packages (httpx, httpx2), which name it alike.
        return TransientError(reason, is_unheard=type(error.__cause__).__name__ == "ConnectError")
    said, status = _short(error.message), error.status_code
    if status in REFUSED:
        return ContextOverflowError(said) if is_overflow(f"{error.code} {error.message}") else RequestError(said)
    if error.code == "insufficient_quota":
        return TurnwiseError(f"The account at {base_url} has no credit left ({said}): top it up, {GO_ON}.")
    if status in (401, 403):
        return TurnwiseError(f"The server at {base_url} refuses the key ({said}): set OPENAI_API_KEY, {GO_ON}.")
    if status == 404:
        return TurnwiseError(f"The server at {base_url} does not serve the model {model!r} ({said}): mend -a model=.")
    if status in _RETRIED or status >= 500 or status in _BUSY:
        is_busy = status in _BUSY
        return TransientError(f"HTTP {status}: {said}", is_busy=is_busy, wait_seconds=_retry_after(error))
    return RequestError(f"HTTP {status}: {said}")


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Return the seconds the server asks to wait, an hour at most; None where it does not say, or nothing sensible."""
    headers: Any = error.response.headers
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


def _short(what: object) -> str:
    text = " ".join(str(what).split()) or type(what).__name__
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 3] + "..."
