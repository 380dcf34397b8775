"""The benchmarks by name, and loading one: from local files, from the hub, or the bundled sample.

>>> problems = load_problems("sample_codecontests")
>>> len(problems.scorable)
4

A real name never falls back to the sample: missing data is an error that says how to get it.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.benchmarks.benchmark import Benchmark, Source, Split, failure_of
from turnwise.benchmarks.codecontests import CODECONTESTS
from turnwise.benchmarks.humaneval_plus import HUMANEVAL_PLUS
from turnwise.benchmarks.ids import problem_id
from turnwise.benchmarks.mbpp_plus import MBPP_PLUS
from turnwise.benchmarks.rows import Row, RowError, check_shards, parse_rows, read_all
from turnwise.benchmarks.taco import TACO
from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, reason_of, to_json
from turnwise.records.problem import Flag, Problem
from turnwise.records.settings import OnError
from turnwise.texts import shown


def _sample_of(real: Benchmark) -> Benchmark:
    return replace(
        real,
        name=f"sample_{real.name}",
        description=f"bundled sample in the form of {real.description}",
        splits=("test",),
        path=Path(__file__).parent / "sample" / f"{real.name}.jsonl",
        stems=(),
        is_sample=True,
    )


_REAL = (CODECONTESTS, TACO, HUMANEVAL_PLUS, MBPP_PLUS)
BENCHMARKS: dict[str, Benchmark] = {one.name: one for one in (*_REAL, *map(_sample_of, _REAL))}


@dataclass(frozen=True, slots=True)
class ProblemSet:
    """The problems of one split; ``digest`` is sha256 over the files, or evalplus's hash of its release."""

    benchmark: str
    split: str
    problems: tuple[Problem, ...]
    source: str
    digest: str
    broken_rows: tuple[RowError, ...] = ()

    @property
    def scorable(self) -> tuple[Problem, ...]:
        """The problems a verdict means something for: the denominator of every score."""
        return tuple(problem for problem in self.problems if problem.is_scorable)

    def find(self, name: str) -> Problem:
        """Return the problem with this id, or one of its other spellings (ids.py).

        Raises TurnwiseError naming near ones.
        """
        wanted = problem_id(self.benchmark, name)
        for problem in self.problems:
            if problem.id == wanted:
                return problem
        import difflib

        ids = [problem.id for problem in self.problems]
        starting = [known for known in ids if known.startswith(wanted)]
        near = starting[:3] or difflib.get_close_matches(wanted, ids, n=3) or ids[:3]
        raise TurnwiseError(
            f"No problem {name!r} among the {len(ids)} of {self.benchmark}/{self.split} "
            f"({self.source}): do you mean one of {', '.join(map(repr, near))}?"
        )


def find_benchmark(name: str) -> Benchmark:
    """Return the benchmark called ``name``; raises TurnwiseError listing the known ones."""
    if name not in BENCHMARKS:
        raise TurnwiseError(f"Unknown benchmark {name!r}: choose one of {', '.join(BENCHMARKS)}.")
    return BENCHMARKS[name]


def load_problems(
    benchmark: Benchmark | str,
    *,
    split: str = "",
    data_dir: Path | None = None,
    difficulties: Iterable[str] = (),
    environ: dict[str, str] | None = None,
    on_error: OnError = "raise",
) -> ProblemSet:
    """Return the problems of one split of a benchmark, or of the built-in one of that name.

    ``data_dir`` holds local files in the layout of docs/data.md; without it TURNWISE_DATA in ``environ``,
    then (HumanEval+, MBPP+) evalplus's override variables, then the hub. ``difficulties`` keeps TACO's
    levels named. With ``on_error="skip"`` broken rows are left out and listed. Raises TurnwiseError for an
    unknown name, split or difficulty, missing data, or a broken row.
    """
    if isinstance(benchmark, str):
        benchmark = find_benchmark(benchmark)
    name, split = benchmark.name, split or benchmark.splits[0]
    if split not in benchmark.splits:
        raise TurnwiseError(f"{name} has no split {split!r}: choose one of {', '.join(benchmark.splits)}.")
    levels = _check_difficulties(benchmark, difficulties)
    rows, source, digest = _open_source(benchmark, split, data_dir, environ or {})
    if not rows:
        raise TurnwiseError(f"{source} holds no row of {name}/{split}: give another file.")
    parse = _parser(benchmark, Split(name, split, len(rows), is_sample=benchmark.is_sample))
    problems, broken = parse_rows(rows, parse, on_error=on_error)
    kept = tuple(problem for problem in problems if not levels or problem.difficulty in levels)
    if levels and not kept:
        found = sorted({problem.difficulty for problem in problems})
        raise TurnwiseError(
            f"{source} holds no problem of difficulty {', '.join(levels)}: its rows say {', '.join(found)}."
        )
    return ProblemSet(name, split, kept, source, digest, tuple(broken))


def _check_difficulties(benchmark: Benchmark, difficulties: Iterable[str]) -> tuple[str, ...]:
    levels, known = tuple(difficulties), benchmark.difficulties
    for level in levels:
        if level not in known:
            there = f"{benchmark.description} has {', '.join(known) or 'none'}"
            raise TurnwiseError(f"{benchmark.name} has no difficulty {level!r}; {there}.")
    return levels


def _parser(benchmark: Benchmark, split: Split) -> Callable[[Row], Problem]:
    seen: dict[str, str] = {}

    def parse_once(row: Row) -> Problem:
        problem = _parse_own(benchmark, row, split) if benchmark.sha256 else benchmark.parse(row, split)
        if problem.id in seen:
            raise row.fail(f"the problem {problem.id!r} stands already at {seen[problem.id]}.")
        seen[problem.id] = row.origin
        return problem

    return parse_once


def _parse_own(benchmark: Benchmark, row: Row, split: Split) -> Problem:
    """Return the problem that the code of a user's own benchmark makes of a row; raises RowError for anything else."""
    try:
        problem = benchmark.parse(row, split)
    except RowError:
        raise
    except (Exception, SystemExit) as error:
        raise row.fail(f"parse of {benchmark.origin} fails ({failure_of(error)}).") from None
    if not isinstance(problem, Problem):
        raise row.fail(f"parse of {benchmark.origin} returns {shown(problem)}, not a Problem.")
    try:
        problem = from_json(Problem, to_json(problem))  # with fields of the right types
    except Exception as error:
        raise row.fail(f"parse of {benchmark.origin} makes a problem that is none ({reason_of(error)}).") from None
    is_of_split = (problem.benchmark, problem.split) == (split.benchmark, split.name)
    if not is_of_split or not problem.id.startswith(split.problem_id("")):
        raise row.fail(f"parse of {benchmark.origin} makes {shown(problem.id)}, no problem of {split.benchmark}.")
    if not problem.public_tests:
        raise row.fail(f"parse of {benchmark.origin} makes a problem without public tests.")
    tests = problem.public_tests + problem.hidden_tests
    if not problem.solutions and any(test.output is None for test in tests):
        raise row.fail(f"parse of {benchmark.origin} makes a test without an output, and no solution to compute it.")
    flags = problem.flags
    if not problem.hidden_tests and not {Flag.NO_HIDDEN_TESTS, Flag.BASE_TESTS_ONLY} & {*flags}:
        flags = (Flag.NO_HIDDEN_TESTS, *flags)
    return replace(problem, flags=flags, benchmark_sha256=benchmark.sha256)


def _open_source(benchmark: Benchmark, split: str, data_dir: Path | None, environ: dict[str, str]) -> Source:
    if benchmark.path is not None:
        return _read_files([benchmark.path], origin="bundled sample" if benchmark.is_sample else "")
    if benchmark.rows is not None:
        return _call_rows(benchmark, benchmark.rows, split)
    if data_dir is None and environ.get("TURNWISE_DATA"):
        data_dir = Path(environ["TURNWISE_DATA"])
    if data_dir is not None:
        return _read_files(_find_files(benchmark, split, data_dir))
    override = environ.get(benchmark.override_variable, "") if benchmark.override_variable else ""
    if override:
        if not Path(override).is_file():
            raise TurnwiseError(
                f"{benchmark.override_variable} names {override!r}, which is no file: unset it or mend it."
            )
        return _read_files([Path(override)])
    if benchmark.hub is None:
        raise TurnwiseError(f"{benchmark.name} is on no hub: give its files with --data-dir, or set TURNWISE_DATA.")
    try:
        return benchmark.hub(benchmark.name, split)
    except (Exception, SystemExit) as error:
        if not benchmark.sha256 or isinstance(error, TurnwiseError):
            raise
        raise _no_rows(benchmark, error) from None


def _call_rows(benchmark: Benchmark, rows: Callable[[str], Iterable[Mapping[str, object]]], split: str) -> Source:
    try:
        made = [dict(row) for row in rows(split)]
        digest = hashlib.sha256("\n".join(json.dumps(row, sort_keys=True) for row in made).encode()).hexdigest()
    except (Exception, SystemExit) as error:
        raise _no_rows(benchmark, error) from None
    name = Path(benchmark.origin).name
    return Source([Row(name, number, row, position=number - 1) for number, row in enumerate(made, 1)], name, digest)


def _no_rows(benchmark: Benchmark, error: BaseException) -> TurnwiseError:
    return TurnwiseError(
        f"The benchmark {benchmark.origin!r} makes no rows ({failure_of(error)}): they have to be objects of JSON "
        "values; mend it."
    )


def _find_files(benchmark: Benchmark, split: str, data_dir: Path) -> list[Path]:
    if not data_dir.is_dir():
        raise TurnwiseError(f"The data directory {str(data_dir)!r} does not exist: give another --data-dir.")
    folder = data_dir / benchmark.folder
    patterns = [pattern.format(split=split) for pattern in benchmark.patterns]
    for pattern in patterns:
        found = sorted(folder.glob(pattern))
        if len(found) > 1 and not pattern.endswith(".parquet"):
            names = ", ".join(path.name for path in found)
            raise TurnwiseError(f"Several files of {benchmark.name} stand in {str(folder)!r}: keep one of {names}.")
        if found:
            check_shards(found)
            return found
    is_copy = benchmark.override_variable and any(folder.glob("**/*.parquet"))
    raise TurnwiseError(
        f"No data of {benchmark.name}/{split} in {str(folder)!r}: put one of {', '.join(patterns)} there"
        + (", or leave out --data-dir and TURNWISE_DATA to download it" if benchmark.hub else "")
        + (" (the parquet files there are the hub's copy, which lacks the inputs)." if is_copy else ".")
    )


def _read_files(paths: list[Path], *, origin: str = "") -> Source:
    rows, digest = read_all(paths)
    return Source(rows, origin or ", ".join(map(str, paths)), digest)
