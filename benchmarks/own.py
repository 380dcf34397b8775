"""Benchmarks that are the user's own: a file of JSON lines, a Python file, or what an installed package offers.

    find_benchmarks("toy.py")["toy"]        beside the built-in ones
    find_benchmarks(tasks="toy_multiturn")  an entry point of the group turnwise.benchmarks

Its problems are for training where its split is ``train``: that of a file of JSON lines whose name ends in ``_train``.

A Python file is code that runs as the user. So it is loaded only here, for a caller to whom the user named it on this
command line: nothing that a run folder, a results file or another file says comes here. An entry point is loaded only
where it is named, or a task whose name begins with its own. What runs is what was hashed.
"""

import hashlib
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from turnwise.benchmarks.benchmark import JSON_ENDINGS, TWINS, Benchmark, Stem, failure_of
from turnwise.benchmarks.catalog import BENCHMARKS
from turnwise.benchmarks.json_lines import parse_json_lines
from turnwise.benchmarks.rows import digest_of
from turnwise.errors import TurnwiseError
from turnwise.records.problem import TRAINING_SPLIT
from turnwise.texts import shown

GROUP = "turnwise.benchmarks"
_ENDINGS = (*JSON_ENDINGS, ".py")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")


def find_benchmarks(given: str = "", *, tasks: str = "") -> dict[str, Benchmark]:
    """Return the built-in benchmarks and the user's own: the ``given`` one, and those that names in ``tasks`` ask for.

    ``given`` is a .jsonl, .jsonl.gz or .py file, or the name of an installed one. Raises TurnwiseError, with its
    name, the reason and the remedy, for one that does not load.
    """
    found = dict(BENCHMARKS)
    if given:
        own = _load(given)
        found[own.name] = own
    names = [name.strip() for name in tasks.split(",")]
    unknown = [name for name in names if name and not _is_known(name, found)]
    points = installed_benchmarks() if unknown else {}
    for name in unknown:
        for point in sorted(points, key=len, reverse=True):  # of toy and toy_hard the one that is spelt out
            is_meant = "*" in name or not _is_known(name, found)
            if point not in found and name.startswith(f"{point}_") and is_meant:
                found[point] = _load_installed(points[point])
    return found


def installed_benchmarks() -> dict[str, EntryPoint]:
    """Return the benchmarks that installed packages offer, by name; none is loaded."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def is_benchmark_file(given: str) -> bool:
    """Return whether what --benchmark is ``given`` names a file, and no installed one."""
    return given.endswith(_ENDINGS)


def _is_known(pattern: str, benchmarks: Mapping[str, Benchmark]) -> bool:
    """Return whether a task of ``benchmarks`` is meant, or no name at all is spelt out."""
    return pattern[:1] in ("*", "?", "[") or any(fnmatchcase(name, pattern) for name in _task_names(benchmarks))


def _task_names(benchmarks: Mapping[str, Benchmark]) -> list[str]:
    stems = [stem.name for one in benchmarks.values() for stem in one.asked]
    return [f"{stem}_{twin}" for stem in stems for twin in TWINS]


def _load(given: str) -> Benchmark:
    path = Path(given)
    if not is_benchmark_file(given):
        points = installed_benchmarks()
        if given in points:
            return _load_installed(points[given])
        there = f"installed are {', '.join(points)}" if points else "none is installed"
        raise TurnwiseError(
            f"--benchmark is {shown(given, limit=300)}: give a .jsonl, .jsonl.gz or .py file, or the name of an "
            f"installed benchmark ({there})."
        )
    try:
        if path.suffix == ".py":
            return _load_python(path, given)
        name, digest = path.name.removesuffix(".gz").removesuffix(".jsonl"), digest_of(path)
    except OSError as error:
        raise TurnwiseError(
            f"The benchmark {given!r} cannot be read ({error.strerror}): give --benchmark another file."
        ) from None
    split = TRAINING_SPLIT if name.endswith(f"_{TRAINING_SPLIT}") else "test"
    own = Benchmark(
        name=name,
        description=path.name,
        parse=parse_json_lines,
        splits=(split,),
        path=path,
        sha256=digest,
        origin=given,
    )
    return _checked(own, given, rename="the file")


def _load_python(path: Path, given: str) -> Benchmark:
    source = path.read_bytes()
    module = ModuleType(f"turnwise_benchmark_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses and pydantic look for what annotations name
    try:
        exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102  # the user's own code, named by the user
    except (Exception, SystemExit) as error:
        raise _unloadable(given, error, at=str(path)) from None
    own = module.__dict__.get("BENCHMARK")
    if not isinstance(own, Benchmark):
        raise _unfit(given, "it defines no BENCHMARK = Benchmark(...)")
    return _checked(replace(own, sha256=hashlib.sha256(source).hexdigest(), origin=given), given)


def _load_installed(point: EntryPoint) -> Benchmark:
    what = f"{point.name} ({point.value})"
    try:
        offered: Any = point.load()
        own = offered if isinstance(offered, Benchmark) else offered()
        file = getattr(sys.modules[point.module], "__file__", None)
        digest = digest_of(Path(str(file)))
    except (Exception, SystemExit) as error:
        raise _unloadable(what, error) from None
    if not isinstance(own, Benchmark) or own.name != point.name:
        made = repr(own.name) if isinstance(own, Benchmark) else shown(own)
        raise _unfit(what, f"it is {made}, not the Benchmark of its name")
    return _checked(replace(own, sha256=digest, origin=what), what)


def _unloadable(what: str, error: BaseException, *, at: str = "") -> TurnwiseError:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == at]
    where = f"line {lines[-1]}: " if lines else ""
    return _unfit(what, f"{where}{failure_of(error)}")


def _unfit(what: str, reason: str) -> TurnwiseError:
    return TurnwiseError(f"The benchmark {what!r} does not load ({reason}): mend it, or leave it out.")


def _checked(own: Benchmark, what: str, *, rename: str = "it") -> Benchmark:
    """Return ``own``; raises TurnwiseError for a name, or fields, that no benchmark has."""
    if not isinstance(own.name, str) or not _NAME.fullmatch(own.name):
        raise TurnwiseError(
            f"The benchmark {what!r} has the name {shown(own.name)}: rename {rename}; a name is a small letter and "
            "then small letters, digits and underscores, 100 at most."
        )
    if reason := _reason_unfit(own):
        raise _unfit(what, reason)
    taken = {own.name} & {*BENCHMARKS} or {*_task_names({own.name: own})} & {*_task_names(BENCHMARKS)}
    if taken:
        raise TurnwiseError(
            f"The benchmark {what!r} has the name {own.name!r}, and {min(taken)!r} is a built-in one: rename {rename}."
        )
    return own


def _reason_unfit(own: Benchmark) -> str:
    """Return what is wrong with the fields of a record that somebody else made, "" for nothing."""
    texts = {"splits": own.splits, "patterns": own.patterns, "difficulties": own.difficulties}
    for field in ("description", "folder", "override_variable"):
        if not isinstance(getattr(own, field), str):
            return f"its {field} is {shown(getattr(own, field))}, not a text"
    for field, value in texts.items():
        if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
            return f"its {field} are {shown(value)}, not a tuple of texts"
    if not own.splits:
        return "its splits are none"
    if not isinstance(own.stems, tuple) or not all(isinstance(one, Stem) for one in own.stems):
        return f"its stems are {shown(own.stems)}, not a tuple of Stem(...)"
    for stem in own.stems:
        if not _NAME.fullmatch(stem.name) or not f"{stem.name}_".startswith(f"{own.name}_"):
            return f"its stem {shown(stem.name)} does not begin with its name {own.name!r}"
        if stem.split not in own.splits or (stem.difficulty and stem.difficulty not in own.difficulties):
            return f"its stem {stem.name!r} is of a split or a difficulty that it does not have"
    try:
        for pattern in own.patterns:
            next(Path("no folder").glob(pattern.format(split="test")), None)
    except (LookupError, ValueError, NotImplementedError):
        return (
            f"its patterns are {shown(own.patterns)}, not names of files below its folder, with {{split}} for a split"
        )
    if not isinstance(own.path, Path | None):
        return f"its path is {shown(own.path)}, not a Path"
    for field, function in {"parse": own.parse, "rows": own.rows or len, "hub": own.hub or len}.items():
        if not callable(function):
            return f"its {field} is {shown(function)}, no function"
    if own.with_stub_imports is not None:
        return "its with_stub_imports is for the built-in ones alone"
    if not (own.path or own.rows or own.patterns or own.hub):
        return "it says neither path, rows, patterns nor hub, so that nobody knows where its rows are"
    return ""
