"""A compatible server: where it is, how it is asked, which fields its requests have, and what run.json says of it.

A user may change the fields of every request: some are added, sent under another name, or left out.

    fields = RequestFields.parse('{"max_tokens": {"as": "max_completion_tokens"}, "seed": null, "min_p": 0.05}')
    fields.apply({"model": "m", "max_tokens": 64, "seed": 7})   # {"model", "max_completion_tokens", "min_p"}

A field with a value is added (or replaces ours), null leaves ours out, {"as": NAME} sends ours under that name.
"""

import json
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from turnwise.errors import TurnwiseError
from turnwise.records.settings import GEN_KWARGS
from turnwise.records.training import describe_training
from turnwise.records.trajectory import Message
from turnwise.runners.models.chat import CharacterCounter, to_chat
from turnwise.runners.models.openai.replies import MalformedError, read_document
from turnwise.texts import encodable

_CONNECT_SECONDS = 30.0
_SHOWN_MODELS = 20
_SHORTEST_SECRET = 4
_COUNT_SECONDS = 30.0
_MOST_ANSWER_BYTES = 16 << 20
# What limits a reply, by the names that servers have for it.
LIMITS = ("max_tokens", "max_completion_tokens", "max_new_tokens", "max_output_tokens", "n_predict", "num_predict")
_OURS = frozenset({"messages", "model", "n", "stream", "stream_options", "prompt"})
_SAMPLING = frozenset(option.setting for option in GEN_KWARGS.values())
_PLAIN = frozenset({"min_p", "seed", *_SAMPLING, *LIMITS})  # whose values are never objects
_SECRET = frozenset(
    {"api_key", "apikey", "api-key", "x-api-key", "authorization", "headers", "extra_headers", "access_token",
     "auth_token", "password", "secret"}
)  # fmt: skip
_MOST_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class RequestFields:
    """What a user changes, by field, as JSON text with sorted names; "" for none."""

    text: str = ""

    @classmethod
    def parse(cls, given: str) -> Self:
        """Return what ``given``, a JSON object, says; raises TurnwiseError for what cannot be changed so."""
        if not given:
            return cls()
        try:
            changes = json.loads(given, parse_constant=_refuse)
            json.dumps(changes, allow_nan=False)  # 1e999 is no constant, and no number either
        except (ValueError, RecursionError):
            changes = None
        if not isinstance(changes, dict) or len(given) > _MOST_CHARACTERS:
            raise TurnwiseError(
                f"--model_args request is {given[:80]!r}: write a JSON object of fields, such as "
                'request={"max_tokens": {"as": "max_completion_tokens"}, "seed": null}.'
            )
        _check(changes)
        return cls(json.dumps(changes, sort_keys=True) if changes else "")

    @property
    def changes(self) -> Mapping[str, object]:
        """What becomes of each field."""
        found: dict[str, object] = json.loads(self.text) if self.text else {}
        return found

    def apply(self, options: Mapping[str, object]) -> dict[str, Any]:
        """Return the fields of a request with the changes made."""
        found = dict(options)
        for name, value in self.changes.items():
            found.pop(name, None)
            if _new_name(value) is not None:
                if name in options:
                    found[str(_new_name(value))] = options[name]
            elif value is not None:
                found[name] = value
        return found

    def limit_of(self, max_tokens: int | None) -> int | None:
        """Return the tokens that a reply may have where ``max_tokens`` were asked for, None for no limit."""
        sent = self.apply({} if max_tokens is None else {"max_tokens": max_tokens})
        limits = [sent[name] for name in self.limit_names() if type(sent.get(name)) is int]
        return min(limits, default=None)

    def limit_names(self) -> tuple[str, ...]:
        """Return the names under which a limit of the reply may stand in a request."""
        new_name = _new_name(self.changes.get("max_tokens"))
        return tuple(dict.fromkeys((*LIMITS, *([new_name] if new_name else []))))


def _check(changes: Mapping[str, object]) -> None:
    """Raise TurnwiseError for the first field that cannot be changed, or not so."""
    for name, value in changes.items():
        for key in filter(None, (name, _new_name(value))):
            if key in _OURS:
                raise TurnwiseError(
                    f"--model_args request changes {key!r}, which turnwise sets in every request: leave it out."
                )
        for key in (name, *_names_within(value)):
            if key.lower() in _SECRET or (key.lower() == "key" and key == name):
                raise TurnwiseError(
                    f"--model_args request names {key!r}, and it is recorded in run.json: the key is OPENAI_API_KEY."
                )
        if name in _PLAIN and isinstance(value, dict) and _new_name(value) is None:
            raise TurnwiseError(
                f"--model_args request gives {name!r} the value {json.dumps(value)[:80]}: write a plain value, null to "
                'leave the field out, or {"as": NAME} to send it under another name.'
            )
        if name == "seed" and value is not None and _new_name(value) is None:
            raise TurnwiseError(
                "--model_args request sets 'seed', which is another one in every request: leave it out with null, or "
                'send it under another name with {"as": NAME}.'
            )
    new_names = [one for one in map(_new_name, changes.values()) if one is not None]
    for name in new_names:
        if new_names.count(name) > 1 or changes.get(name) is not None:
            raise TurnwiseError(f"--model_args request gives the field {name!r} twice: name each once.")


def _names_within(value: object) -> Iterator[str]:
    """Yield the names of fields inside ``value``, however deep, and a name that a field is sent under."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names_within(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_within(inner)
    if (new_name := _new_name(value)) is not None:
        yield new_name


def _new_name(value: object) -> str | None:
    """Return the name in {"as": NAME}, None for any other value."""
    if isinstance(value, dict) and list(value) == ["as"] and isinstance(value["as"], str) and value["as"]:
        return value["as"]
    return None


def _refuse(name: str) -> object:
    raise ValueError(name)


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


def describe_openai(model: str, *, system_role: bool, first_turns: int = 1, request: str = "") -> dict[str, str]:
    """Return the description of a model at a server; what is not named is usual.

    That is: it takes system messages, every first turn is asked by a request of its own, and no field of a
    ``request`` is changed. Servers name a model by its folder where they were given one: if it is here, it tells of its
    training; raises TurnwiseError if that cannot be read.
    """
    found = {"back_end": "openai", "model": model, **describe_training(model)}
    if first_turns > 1:
        found["first_turns"] = str(first_turns)
    if request:
        found["request"] = request
    return found if system_role else {**found, "system_role": "user"}


class ServerCounter:
    """Counts by asking a vLLM server, which says its context length too; elsewhere guesses from characters.

    ``max_length`` is what the server says elsewhere. No redirect is followed, since the key goes along.
    """

    def __init__(self, base_url: str, model: str, *, api_key: str = "EMPTY", max_length: int | None = None) -> None:
        self._url = Server(base_url, model).root_url("/tokenize")
        self._model = model
        self._key = api_key
        self._guess = CharacterCounter()
        probe = self._ask([{"role": "user", "content": "x"}])
        self.is_exact = probe is not None
        length = None if probe is None else probe.get("max_model_len")
        self.max_length: int | None = length if type(length) is int and length > 0 else max_length

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        answer = self._ask(to_chat(messages)) if self.is_exact else None
        return self._guess.count(messages) if answer is None else int(answer["count"])

    def _ask(self, chat: list[dict[str, str]]) -> dict[str, Any] | None:
        body = json.dumps({"model": self._model, "messages": chat}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._key}"}
        request = urllib.request.Request(self._url, body, headers)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=_COUNT_SECONDS) as answer:
                found = read_document(answer.read(_MOST_ANSWER_BYTES))
        except (OSError, ValueError, HTTPException, MalformedError):
            return None
        count = found.get("count") if isinstance(found, dict) else None
        return found if type(count) is int and 0 <= count <= _MOST_ANSWER_BYTES else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow none."""
