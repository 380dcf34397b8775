"""Arguments that stand in one option, ``a=1,b=2``: read as text, checked as a model of pydantic's."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from turnwise.errors import TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.texts import shown

Model = TypeVar("Model", bound=BaseModel)


def parse_pairs(text: str, option: str) -> dict[str, str]:
    """Return {"a": "1"} from ``a=1,b=2``; a value may be a JSON object or list, commas included.

    Raises TurnwiseError for a part without '='.
    """
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in _split_pairs(text))):
        name, sign, value = part.partition("=")
        if not sign:
            raise TurnwiseError(f"{option} has the part {part!r}: write name=value, separated by commas.")
        pairs[name.strip()] = value.strip()
    return pairs


def _split_pairs(text: str) -> Iterator[str]:
    """Yield the parts between commas, but for those inside a JSON value."""
    start = 0
    while start <= len(text):
        end = text.find(",", start) % (len(text) + 1)
        sign = text.find("=", start, end)
        begin = sign + 1 + len(text[sign + 1 :]) - len(text[sign + 1 :].lstrip())
        if sign >= 0 and text[begin : begin + 1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                after = json.JSONDecoder().raw_decode(text, begin)[1]
                if not text[after:].strip() or text[after:].lstrip().startswith(","):
                    end = text.find(",", after) % (len(text) + 1)
        yield text[start:end]
        start = end + 1


def validated(model: type[Model], data: Mapping[str, Any], option: str) -> Model:
    """Return ``data`` as ``model``; raises TurnwiseError naming the option, the key and its value."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        mistake = first_mistake(error)
        name = mistake.place[0]
        if mistake.kind == "extra_forbidden":
            raise TurnwiseError(
                f"{option} {shown(name)} is unknown: the keys are {', '.join(model.model_fields)}."
            ) from None
        reason = mistake.reason.lower().removeprefix("input ").replace("should be", "it has to be")
        raise TurnwiseError(f"{option} {name} is {shown(data[str(name)])}: {reason}.") from None
