"""What a data set says of itself: where its rows stand, how one becomes a problem, which tasks are asked of it.

A data set's file ends with its ``Benchmark``; so does a user's own (own.py). Reading the rows is done in catalog.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from turnwise.benchmarks import values
from turnwise.benchmarks.rows import Row
from turnwise.records.problem import Problem, TestCase
from turnwise.texts import printable

JSON_ENDINGS = (".jsonl.gz", ".jsonl")
SPLIT_FILES = (
    *("{split}" + ending for ending in JSON_ENDINGS),
    "{split}.parquet",
    "{split}-*.parquet",
    "data/{split}-*.parquet",
    *("{split}_subset" + ending for ending in JSON_ENDINGS),
)

# What each stem is asked as, and over how many turns at most.
TWINS = {"multiturn": 3, "singleturn": 1}


class Source(NamedTuple):
    """Rows, where they come from as a reader would look it up, and the digest of their files."""

    rows: list[Row]
    origin: str
    digest: str


@dataclass(frozen=True, slots=True)
class Split:
    """What rows are parsed for: a split of a benchmark, how many of its rows are here, whether they are a sample's."""

    benchmark: str
    name: str = "test"
    rows: int = 0
    is_sample: bool = False

    def problem_id(self, name: str) -> str:
        """Return the id of the problem that the data set calls ``name``."""
        return f"{self.benchmark}/{name}"


@dataclass(frozen=True, slots=True)
class Stem:
    """What two tasks are asked of, <name>_multiturn and <name>_singleturn: a split, or a difficulty of it."""

    name: str
    split: str = "test"
    difficulty: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One data set.

    ``parse`` makes a problem of a row, or raises ``row.fail(...)``. The rows are those of ``path``, one file that holds
    them all; or what ``rows`` returns for a split; or those of the files in ``folder`` below --data-dir that the
    first fitting one of ``patterns`` names ({split} in it is the split's), or that ``override_variable`` names; or
    else what ``hub`` downloads for a name and a split.
    ``splits`` begin with the default one, ``stems`` name the tasks (none: those of the name), ``difficulties`` the
    levels that a stem may keep. ``with_stub_imports`` is what --stub-imports does to a problem. ``sha256`` is the
    digest of the file of a user's own benchmark, and ``origin`` how it was named.
    """

    name: str
    parse: Callable[[Row, Split], Problem]
    description: str = ""
    splits: tuple[str, ...] = ("test",)
    path: Path | None = None
    rows: Callable[[str], Iterable[Mapping[str, object]]] | None = None
    folder: str = ""
    patterns: tuple[str, ...] = ()
    override_variable: str = ""
    hub: Callable[[str, str], Source] | None = None
    stems: tuple[Stem, ...] = ()
    difficulties: tuple[str, ...] = ()
    with_stub_imports: Callable[[Problem], Problem] | None = None
    is_sample: bool = False
    sha256: str = ""
    origin: str = ""

    @property
    def asked(self) -> tuple[Stem, ...]:
        """What tasks are asked of."""
        return self.stems or (Stem(self.name, self.splits[0]),)


def call_test(arguments: Sequence[object], result: object) -> TestCase:
    """Return the test that calls a function with ``arguments`` and expects ``result``."""
    return TestCase(values.dumps(list(arguments)), values.dumps(result))


def failure_of(error: BaseException) -> str:
    """Return on one line what the code of a user's own benchmark raised."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "it cannot say why"
    return printable(f"{type(error).__name__}: {text}" if text else type(error).__name__, limit=300)
