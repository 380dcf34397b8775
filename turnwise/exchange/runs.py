"""Runs by their paths: run folders, results files that lm_eval wrote of our tasks, and whatever holds some.

A path may be a run, a folder of runs (a grid, a demo, folders of those), or a glob of either; what is none of them is
left out, and named, as long as there is a run at all.
"""

import glob
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.exchange.lm_eval_run import is_results, read_lm_eval_run
from turnwise.leaderboard.outcomes import RunOutcomes, Witness, read_outcomes

Progress = Callable[[str, int, int], None]

_DEEPEST = 6  # folders below the one that is named
_NAMED = 5  # of what is left out
_OURS = ("tables", "site", "cluster", "merged")  # what scoring, publishing and submitting put beside runs


@dataclass(frozen=True, slots=True)
class Found:
    """The runs at each path, globs expanded, and what of it is no run and holds none."""

    by_path: dict[Path, list[Path]]
    runs: list[Path]
    left_out: list[Path]


def find_runs(path: Path) -> list[Path]:
    """Return the runs at one path; raises TurnwiseError if there is none."""
    return find_all([path]).runs


def runs_at(paths: Sequence[Path]) -> Found:
    """Return the runs at ``paths`` and say on stderr what was left out; raises TurnwiseError if there is none."""
    found = find_all(paths)
    if found.left_out:
        named = ", ".join(str(path) for path in found.left_out[:_NAMED])
        more = f" and {len(found.left_out) - _NAMED} more" if len(found.left_out) > _NAMED else ""
        print(f"Left out, since they are no runs and hold none: {named}{more}.", file=sys.stderr)
    return found


def find_all(paths: Sequence[Path]) -> Found:
    """Return the runs at ``paths``; one that is found again in a folder counts once.

    Raises TurnwiseError for a path that is not there or a glob that nothing fits, and if there is no run at all.
    """
    by_path: dict[Path, list[Path]] = {}
    runs: list[Path] = []
    seen: set[Path] = set()
    left_out: list[Path] = []
    for given in paths:
        for path in _expanded(given):
            of_path, others = _search(path)
            left_out += others
            if of_path:
                by_path[path] = of_path
            is_named = path == given and of_path == [path]
            runs += [run for run in of_path if is_named or run.resolve() not in seen]
            seen.update(run.resolve() for run in of_path)
    if not runs:
        raise TurnwiseError(
            f"{str(paths[0])!r} is no run folder and holds none: name a folder that turnwise run or turnwise sample "
            "wrote, or lm_eval's --output_path."
        )
    return Found(by_path, runs, list(dict.fromkeys(left_out)))


def _expanded(path: Path) -> list[Path]:
    if path.exists() or path.is_symlink():
        return [path]
    if glob.has_magic(str(path)):
        found = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  # Path.glob takes no absolute one
        if found:
            return [Path(one) for one in found]
        raise TurnwiseError(f"{str(path)!r} fits no file or folder: name a run folder, or a folder of runs.")
    raise TurnwiseError(
        f"{str(path)!r} is no run folder and holds none: name a folder that turnwise run or turnwise sample "
        "wrote, or lm_eval's --output_path."
    )


def _search(path: Path, depth: int = 0) -> tuple[list[Path], list[Path]]:
    """Return the runs at ``path``, itself or below it, and what holds none; links below ``path`` are not followed.

    A run holds no others.
    """
    if _is_run(path):
        return [path], []
    found: list[Path] = []
    left_out: list[Path] = []
    for entry in _entries(path) if depth <= _DEEPEST else ():
        is_folder = entry.is_dir()
        if entry.is_symlink():
            left_out += [entry] if is_folder else []
        elif is_folder or is_results(entry):
            runs, others = _search(entry, depth + 1)
            found += runs
            left_out += others if entry.name not in _OURS or runs else []
    return (found, left_out) if found else ([], [path])


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    except OSError:  # a file, or a folder that is not open to this user holds nothing for them
        return []


def _is_run(path: Path) -> bool:
    return (path / "run.json").is_file() or is_results(path)


def read_run(path: Path, *, witness: Witness | None = None) -> RunOutcomes:
    """Return the outcomes of the run at ``path``, one that ``find_runs`` found; no program is run.

    A ``witness`` is shown each dialogue, those of a problem one after the other.

    Raises TurnwiseError, naming the file, for what is missing or damaged.
    """
    return read_lm_eval_run(path, witness) if is_results(path) else read_outcomes(path, witness=witness)


def read_runs(
    paths: Sequence[Path], *, witness: Witness | None = None, on_progress: Progress = lambda *_: None
) -> list[RunOutcomes]:
    """Return the outcomes of the runs at ``paths``, those that ``find_runs`` found; raises as ``read_run`` does."""
    found = []
    for number, path in enumerate(paths):
        on_progress("reading dialogues", number, len(paths))
        found.append(read_run(path, witness=witness))
    return found
