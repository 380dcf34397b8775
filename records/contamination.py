"""What a comparison of two sets of problems showed: which problems of the one are also in the others.

``turnwise contamination`` writes it as contamination.json; training data are made without what it names. It holds
statements' words, which are public, and no test.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import if_set, to_json

FORMAT = 1


@dataclass(frozen=True, slots=True)
class ContaminationSettings:
    """What decides which problems are contaminated.

    Statements are one problem from ``containment`` on: the share of the word 8-grams of the shorter one that the longer
    one has. ``embed`` names a model whose embeddings find near ones beside; with ``solutions`` near ones get a second
    look.
    """

    containment: float = 0.5
    embed: str = ""
    solutions: bool = True


class Reason(StrEnum):
    """Why a problem is contaminated; near ones are not: they are alike, and no more is known."""

    STATEMENT = "statement"
    SOLUTIONS = "solutions"
    NEAR = "near"


@dataclass(frozen=True, slots=True)
class Pair:
    """A problem and one of a test set that are alike: ``other`` is of the task ``task``.

    ``shared`` are words that both statements have in a row, cut. ``cosine`` is that of the embeddings, where they were
    asked for. ``note`` says what running solutions across showed, or why it could not be done.
    """

    problem: str
    other: str
    task: str
    containment: float
    reason: Reason
    shared: str = if_set("")
    cosine: float | None = if_set(None)
    note: str = if_set("")


@dataclass(frozen=True, slots=True)
class Contamination:
    """Which problems are contaminated, each with a sentence, and all pairs that are alike, contaminated or near.

    ``compared`` are the problems asked about, ``against`` the problems of each test set. ``task`` and ``data_sha256``
    (by task) are known where tasks were named. Pairs stand by test set, then by containment, highest first.
    """

    format: int = field(default=FORMAT, kw_only=True)
    turnwise: str
    settings: ContaminationSettings
    compared: int
    against: Mapping[str, int]
    problems: Mapping[str, str]
    pairs: tuple[Pair, ...]
    task: str = ""
    data_sha256: Mapping[str, str] = field(default_factory=dict)


def write_contamination(path: Path, contamination: Contamination) -> None:
    """Write contamination.json."""
    write_atomically(path, json_text(to_json(contamination), indent=1, ensure_ascii=False) + "\n")
