"""A compatible server: where it is, how it is asked, which fields its requests have."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from turnwise.errors import TurnwiseError
from turnwise.runners.models.openai.request import RequestFields
from turnwise.texts import encodable

_CONNECT_SECONDS = 30.0
_SHOWN_MODELS = 20
_SHORTEST_SECRET = 4


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to ask.

    ``timeout`` bounds one request, waiting at the server included; ``outage`` is how long the server may be
    silent before the run stops; ``backoff`` the first wait between attempts (all seconds). ``concurrency`` 0
    finds by itself how many requests to have in flight. ``logprobs`` asks for token ids and log-probabilities.
    ``first_turns`` is for how many dialogues one request asks their first reply. ``fields`` are what the user
    changes in every request, ``more_headers`` what its account asks for.
    """

    base_url: str
    model: str
    api_key: str = field(default="EMPTY", repr=False)
    concurrency: int = 0
    max_retries: int = 5
    timeout: float = 1800.0
    outage: float = 60.0
    backoff: float = 0.5
    logprobs: bool = False
    first_turns: int = 1
    system_role: bool = True
    fields: RequestFields = field(default_factory=RequestFields)
    more_headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """The server's address as it may be shown: without a password, or what its query says."""
        return shown_url(self.base_url)

    def url(self, path: str) -> str:
        """Return the address of ``path`` below the base URL, whose query, if it has one, follows."""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(path=parts.path.rstrip("/") + path))

    def root_url(self, path: str) -> str:
        """Return the address of a page of the server's own, which stands beside its /v1."""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(path=parts.path.rstrip("/").removesuffix("/v1") + path))

    def with_model(self, served: Sequence[str]) -> "Server":
        """Return the server with its model chosen, where none was named and one is served.

        Raises TurnwiseError if that cannot be told, or the model named is not among the ``served``.
        """
        shown = ", ".join(served[:_SHOWN_MODELS]) + (" ..." if len(served) > _SHOWN_MODELS else "")
        known = f"it serves {shown}" if served else "it does not say which it serves"
        if not self.model and len(served) == 1:
            return replace(self, model=served[0])
        if not self.model:
            raise TurnwiseError(f"No model is named for {self.place} ({known}): give -a model=NAME.")
        if encodable(self.model) != self.model:
            raise TurnwiseError(f"-a model={self.model!r} holds what UTF-8 cannot: mend -a model=.")
        if served and self.model not in served:
            raise TurnwiseError(f"The server at {self.place} has no model {self.model!r} ({known}): mend -a model=.")
        return self

    def headers(self) -> dict[str, str]:
        """Return what stands above every request."""
        return {
            "authorization": f"Bearer {self.api_key}",
            "content-type": "application/json",
            "accept-encoding": "gzip",
            **self.more_headers,
        }

    def client_timeout(self) -> Any:
        """Return the limits of a connection as the client takes them; asking again is this room's own business."""
        import openai

        return openai.Timeout(self.timeout, connect=min(self.timeout, _CONNECT_SECONDS))

    def without_secrets(self, text: str) -> str:
        """Return ``text`` without keys and passwords, which some servers repeat in their errors.

        They are the key, the values of headers, and what the address holds: a user, a password, values of its query.
        """
        parts = urlsplit(self.base_url)
        login = parts.netloc.rpartition("@")[0]
        secrets = [self.api_key, *self.more_headers.values(), login, parts.username or "", parts.password or ""]
        secrets += [pair.partition("=")[2] for pair in parts.query.split("&")]
        secrets += [unquote(one) for one in secrets]
        secrets.append(b64encode(unquote(login).encode()).decode())  # as the header of that login has it
        for secret in sorted(set(secrets), key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET and secret != "EMPTY":
                text = text.replace(secret, "***")
        return text


def is_address(url: str) -> bool:
    """Return whether ``url`` can be taken apart: its port and what stands in brackets are what they have to be."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def shown_url(url: str) -> str:
    """Return ``url`` without a user's name, a password and what stands in its query."""
    try:
        parts = urlsplit(url)
    except ValueError:  # it cannot be taken apart
        return url.rpartition("@")[2].partition("?")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
