"""What differs between two JSON documents of one form: each value by its place, with what stands there in both.

>>> list(differences({"seed": 0, "tasks": [{"task": "t", "max_turns": 3}]}, {"seed": 0, "tasks": [{"task": "t"}]}))
[Difference(place='tasks t max_turns', first=3, second=None)]
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.texts import printable

_NAMES = ("task", "id")  # what entries of a list are called by


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs; None stands for one that is not there."""

    place: str
    first: object
    second: object

    def values(self) -> tuple[str, str]:
        """Return both values as they are shown, bounded."""
        return _shown(self.first), _shown(self.second)


def differences(first: Any, second: Any, place: str = "") -> Iterator[Difference]:
    """Yield what differs, in the order of the places."""
    if first == second:
        return
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in sorted({*first, *second}):
            yield from differences(first.get(key), second.get(key), f"{place} {key}".strip())
    elif _is_list(first) and _is_list(second) and len(first) == len(second):
        for number, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from differences(one, other, f"{place} {_name(one, number)}")
    elif _is_list(first) and _is_list(second) and any(isinstance(one, Mapping) for one in (*first, *second)):
        yield Difference(place, len(first), len(second))
    else:
        yield Difference(place, first, second)


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _name(entry: object, number: int) -> str:
    names = [entry[name] for name in _NAMES if name in entry] if isinstance(entry, Mapping) else []
    return printable(str(names[0]), limit=80) if names else str(number)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return printable(text if len(text) <= 60 else text[:57] + "...", limit=80)
