# Defines records of three kinds.
from __future__ import annotations

import enum
import typing
from dataclasses import dataclass, field


class Color(enum.Enum):
    RED = 1


class Pair(typing.NamedTuple):
    a: int
    b: int = 2


@dataclass(order=True)
class Point:
    x: int
    y: list[int] = field(default_factory=list)


print(Point(int(input())), Color(1).name, Pair(1), typing.get_type_hints(Point)["x"])
