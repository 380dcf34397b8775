"""What a user changes in the fields of every request: some are added, sent under another name, or left out.

    fields = RequestFields.parse('{"max_tokens": {"as": "max_completion_tokens"}, "seed": null, "min_p": 0.05}')
    fields.apply({"model": "m", "max_tokens": 64, "seed": 7})   # {"model", "max_completion_tokens", "min_p"}

A field with a value is added (or replaces ours), null leaves ours out, {"as": NAME} sends ours under that name.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from turnwise.errors import TurnwiseError

# What limits a reply, by the names that servers have for it.
LIMITS = ("max_tokens", "max_completion_tokens", "max_new_tokens", "max_output_tokens", "n_predict", "num_predict")
_OURS = frozenset({"messages", "model", "n", "stream", "stream_options", "prompt"})
_PLAIN = frozenset({"temperature", "top_p", "top_k", "min_p", "seed", *LIMITS})  # whose values are never objects
_SECRET = frozenset(
    {"api_key", "apikey", "api-key", "x-api-key", "authorization", "headers", "extra_headers", "access_token",
     "auth_token", "password", "secret"}
)  # fmt: skip
_MOST_CHARACTERS = 10_000


@dataclass(frozen=True, slots=True)
class RequestFields:
    """The changes by field, as JSON text with sorted names; "" for none."""

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
    def changes(self) -> Mapping[str, Any]:
        """What becomes of each field."""
        found: dict[str, Any] = json.loads(self.text) if self.text else {}
        return found

    def apply(self, options: Mapping[str, Any]) -> dict[str, Any]:
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


def _check(changes: Mapping[str, Any]) -> None:
    """Raise TurnwiseError for the first field that cannot be changed, or not so."""
    for name, value in changes.items():
        for field in filter(None, (name, _new_name(value))):
            if field in _OURS:
                raise TurnwiseError(
                    f"--model_args request changes {field!r}, which turnwise sets in every request: leave it out."
                )
        for field in (name, *_names_within(value)):
            if field.lower() in _SECRET or (field.lower() == "key" and field == name):
                raise TurnwiseError(
                    f"--model_args request names {field!r}, and it is recorded in run.json: the key is OPENAI_API_KEY."
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


def _names_within(value: Any) -> Iterator[str]:
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


def _new_name(value: Any) -> str | None:
    """Return the name in {"as": NAME}, None for any other value."""
    if isinstance(value, dict) and list(value) == ["as"] and isinstance(value["as"], str) and value["as"]:
        return value["as"]
    return None


def _refuse(name: str) -> Any:
    raise ValueError(name)
