"""Runs by their paths: run folders, results files that lm_eval wrote of our tasks, and whatever holds some.

A path may be a run, a folder of runs (a grid, a demo, a training with its evaluations, folders of those), or a glob of
either; what is none of them is left out, and named, as long as there is a run at all.
"""

import glob
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import turnwise
from turnwise.benchmarks.rows import digest_of
from turnwise.errors import TurnwiseError
from turnwise.exchange import lm_eval
from turnwise.exchange.contents import Contents, Dialogue, read_document
from turnwise.exchange.lm_eval import KEY
from turnwise.leaderboard.outcomes import RunOutcomes, Witness, read_outcomes, tally, witnessed
from turnwise.records.judgement import Judgement, Place
from turnwise.records.rlef import EVALUATIONS, RLEF
from turnwise.records.run_folder import RunRecord, checked
from turnwise.records.trajectory import Trajectory
from turnwise.texts import printable

Progress = Callable[[str, int, int], None]
_DEEPEST = 6  # folders below the one that is named
_NAMED = 5  # of what is left out
_OURS = ("tables", "site", "cluster", "merged")  # what scoring, publishing and submitting put beside runs
_RESULTS = re.compile(r"results_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.json")


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
    if not runs and (paths[0] / RLEF).is_file():
        raise TurnwiseError(
            f"{str(paths[0])!r} holds a reinforcement learning that was not evaluated: give turnwise rlef --evaluate "
            "TASKS, or name runs of its checkpoints."
        )
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

    A run holds no others, and of a training its evaluations are looked for alone.
    """
    if _is_run(path):
        return [path], []
    if (path / RLEF).is_file() and not (path / EVALUATIONS).is_symlink():
        runs, others = _search(path / EVALUATIONS, depth + 1)
        return (runs, others) if runs else ([], [path])
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


def is_results(path: Path) -> bool:
    """Return whether ``path`` is named as lm_eval names its results."""
    return _RESULTS.fullmatch(path.name) is not None and path.is_file()


def read_lm_eval_run(path: Path, witness: Witness | None = None) -> RunOutcomes:
    """Return the outcomes of the run with the results file ``path``; a ``witness`` is shown each dialogue.

    Raises TurnwiseError for files that are damaged, or that other tasks than ours made.
    """
    files = [path, *_samples_of(path)]
    contents = lm_eval.read(files) if len(files) > 1 else Contents("")
    if contents.header is None:
        raise TurnwiseError(
            f"{str(path)!r} comes with no dialogues of turnwise: run lm_eval with --log_samples, or make a run of "
            "other tasks' samples with turnwise import --format lm-eval."
        )
    header = contents.header
    origin = {
        "model": printable(contents.model, limit=200),
        "imported_from": "lm-eval",
        "files": ", ".join(printable(one.name, limit=200) for one in files),
        "sha256": ", ".join(map(digest_of, files)),
    }
    model = {**header.model, **origin}
    made = RunRecord(turnwise.__version__, model, header.settings, header.judge, header.prompts, contents.tasks)
    record = checked(made, str(path))
    judgements = {one.place: one for dialogue in contents.dialogues for one in dialogue.judgements}
    _check(path, record, [one.trajectory for one in contents.dialogues])
    see: Witness = witness or (lambda *_: None)
    tasks = tuple(
        tally(
            task,
            witnessed(_in_order(contents.dialogues, record, task.task), partial(see, path, task.task), judgements),
            judgements,
            samples=record.samples_per_problem,
            judge=record.judge,
            origin=str(path),
        )
        for task in record.tasks
    )
    return RunOutcomes(path, record, tasks, lambda task: _dialogues(files, record, task))


def _dialogues(
    files: Sequence[Path], record: RunRecord, task: str
) -> tuple[Iterator[Trajectory], dict[Place, Judgement]]:
    """Read the dialogues of a task again, in the order of its problems."""
    dialogues = lm_eval.read(files).dialogues
    judgements = {one.place: one for dialogue in dialogues for one in dialogue.judgements}
    return iter(_in_order(dialogues, record, task)), judgements


def _in_order(dialogues: Iterable[Dialogue], record: RunRecord, task: str) -> list[Trajectory]:
    """Return the trajectories of a task in the order of its problems."""
    order = {problem.id: number for one in record.tasks for number, problem in enumerate(one.asked)}
    chosen = [one.trajectory for one in dialogues if one.trajectory.task == task]
    return sorted(chosen, key=lambda one: (order[one.problem], one.sample))


def _samples_of(path: Path) -> list[Path]:
    """Return the samples files of our tasks; of a mixed list of tasks the others are none of our business."""
    document = read_document(path, "the results file of lm-eval")
    configs = document.get("configs") if isinstance(document, dict) else None
    match = _RESULTS.fullmatch(path.name)
    if match is None or not isinstance(configs, dict):
        return []
    ours = [
        task
        for task, config in configs.items()
        if isinstance(config, dict) and isinstance(config.get("metadata"), dict) and KEY in config["metadata"]
    ]
    found = (path.with_name(f"samples_{task}_{match['date']}.jsonl") for task in ours if "/" not in task)
    return [one for one in found if one.is_file()]


def _check(path: Path, record: RunRecord, trajectories: Sequence[Trajectory]) -> None:
    asked = {(task.task, one.id) for task in record.tasks for one in task.asked}
    seen: set[tuple[str, str, int]] = set()
    for one in trajectories:
        key = (one.task, one.problem, one.sample)
        if key[:2] not in asked or not 0 <= one.sample < record.samples_per_problem or key in seen:
            where = f"{printable(one.problem, limit=80)}, sample {one.sample}"
            raise TurnwiseError(f"{str(path)!r}: the dialogue about {where}, was not asked for: it is damaged.")
        seen.add(key)
