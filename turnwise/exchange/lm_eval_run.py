"""A run that lm_eval made with our tasks, read where it stands: no import, no data, no program run.

Its path is that of results_<date>.json; the samples files of the same date beside it hold the dialogues.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import turnwise
from turnwise.benchmarks.rows import digest_of
from turnwise.errors import TurnwiseError
from turnwise.exchange import lm_eval_input
from turnwise.exchange.contents import Contents, Dialogue, read_document
from turnwise.exchange.lm_eval_header import KEY
from turnwise.leaderboard.outcomes import RunOutcomes, Witness, tally, witnessed
from turnwise.records.judgement import Judgement, Place
from turnwise.records.run_folder import RunRecord, checked
from turnwise.records.trajectory import Trajectory
from turnwise.texts import printable

_RESULTS = re.compile(r"results_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.json")


def is_results(path: Path) -> bool:
    """Return whether ``path`` is named as lm_eval names its results."""
    return _RESULTS.fullmatch(path.name) is not None and path.is_file()


def read_lm_eval_run(path: Path, witness: Witness | None = None) -> RunOutcomes:
    """Return the outcomes of the run with the results file ``path``; a ``witness`` is shown each dialogue.

    Raises TurnwiseError for files that are damaged, or that other tasks than ours made.
    """
    files = [path, *_samples_of(path)]
    contents = lm_eval_input.read(files) if len(files) > 1 else Contents("")
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
            anew=record.judge.judged_anew,
            origin=str(path),
        )
        for task in record.tasks
    )
    return RunOutcomes(path, record, tasks, lambda task: _dialogues(files, record, task))


def _dialogues(
    files: Sequence[Path], record: RunRecord, task: str
) -> tuple[Iterator[Trajectory], dict[Place, Judgement]]:
    """Read the dialogues of a task again, in the order of its problems."""
    dialogues = lm_eval_input.read(files).dialogues
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
