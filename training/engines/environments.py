"""The environments of a training, as an engine's processes open them: from the folder that ``rlef --engine`` wrote.

    OUT/engine/rlef.json            what the training is of (records/rlef.py)
    OUT/engine/environment.json     where this machine has what it needs (Sources)

An engine tells an environment no more than what stands in a row of its data: the folder, and a problem's id. So each
process opens them once, whoever asks first, and they stay open until it ends. Problems, prompts and decoys have to be
those that were recorded. Nothing of an engine is imported here.
"""

import itertools
import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import TurnwiseError
from turnwise.files import read_whole
from turnwise.records.codec import from_json, reason_of
from turnwise.records.rlef import RLEF, RlefRecord
from turnwise.records.settings import JudgeRecord, JudgeSettings, PromptsRecord
from turnwise.runners.judging.judge import judge_record
from turnwise.runners.judging.verdicts import RecentCache
from turnwise.runners.loading import load_decoys, load_recorded
from turnwise.runners.machines import open_machine
from turnwise.tasks.catalog import find_tasks
from turnwise.tasks.prompts import PromptSet
from turnwise.training.environment import MOST_REPORTS, CodeEnvironment, Environments
from turnwise.training.problems import TrainingProblems

_Read = TypeVar("_Read", RlefRecord, "Sources")
SOURCES = "environment.json"
_LARGEST = 2**28


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a machine has what an environment needs: absolute paths, None where the user gave none.

    ``benchmark`` are files of JSON lines of the user's own, as --benchmark has them; ``interpreter`` is the Python that
    runs programs, with "" this one. ``workers`` of them run at a time in each process, with 0 as many as there are
    usable cores.
    """

    data_dir: Path | None = None
    prompts: Path | None = None
    incorrect_programs: Path | None = None
    benchmark: str = ""
    interpreter: str = ""
    workers: int = 0


class OpenedEnvironments:
    """The environments of one training in this process; safe for threads.

    ``record`` says what the training is of.
    """

    def __init__(self, record: RlefRecord, environments: Environments) -> None:
        self.record = record
        self.environments = environments
        self._visits: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
        self._lock = threading.Lock()

    def make(self, problem: str, sample: int | None = None, iteration: int = 1) -> CodeEnvironment:
        """Return the environment of a dialogue about a problem.

        Without a ``sample`` it is the number of dialogues that this process has had about it, so that each draws
        numbers of its own.
        """
        if sample is None:
            with self._lock:
                sample = next(self._visits[problem])
        return self.environments.make(problem, sample, iteration)


_OPENED: dict[str, OpenedEnvironments] = {}
_OPENING = threading.Lock()


def environments_of(folder: str) -> OpenedEnvironments:
    """Return the environments of an engine's ``folder``, opened by this process's first call; raises TurnwiseError."""
    with _OPENING:
        if folder not in _OPENED:
            _OPENED[folder] = open_folder(Path(folder), environ=os.environ)
        return _OPENED[folder]


def open_folder(folder: Path, *, environ: Mapping[str, str]) -> OpenedEnvironments:
    """Return the environments that ``folder`` describes; whoever opens them closes ``environments``.

    Raises TurnwiseError if a file cannot be read, or data, prompts or decoys are others than those recorded.
    """
    record, sources = _read(RlefRecord, folder / RLEF), _read(Sources, folder / SOURCES)
    prompts = PromptSet.load(sources.prompts)
    if PromptsRecord(prompts.name, prompts.hashes) != record.prompts:
        raise TurnwiseError(
            f"The prompts {str(sources.prompts or prompts.name)!r} are others than those of {str(folder / RLEF)!r}: "
            "restore them, or write the engine's files anew."
        )
    names = [task_record.task for task_record in record.tasks]
    benchmarks = find_benchmarks(sources.benchmark, tasks=",".join(names))
    judge = _judge_settings(record.judge, sources.interpreter)
    with ExitStack() as stack:
        machine = stack.enter_context(
            open_machine(
                dict(environ),
                advise=_ignore,
                data_dir=sources.data_dir,
                interpreter=judge.interpreter,
                workers=sources.workers,
                started=True,
            )
        )
        loaded = [
            load_recorded(find_tasks(task_record.task, benchmarks)[0], task_record, machine, judge)
            for task_record in record.tasks
        ]
        decoys = load_decoys(loaded, record.dialogues, machine, judge, path=sources.incorrect_programs)
        digests = {task: pool.digest for task, pool in decoys.items()}
        if digests != {task: source.sha256 for task, source in record.dialogues.decoys.items() if task in digests}:
            raise TurnwiseError(
                f"The incorrect programs are others than those of {str(folder / RLEF)!r}: restore them, or write the "
                "engine's files anew."
            )
        problems = TrainingProblems(loaded, record.dialogues, prompts, decoys)
        opened = machine.open_judge(judge, RecentCache(MOST_REPORTS))
        stack.callback(opened.close)
        if (here := judge_record(opened.environment, judge)) != record.judge:
            raise TurnwiseError(
                f"The judge of this machine ({here.interpreter}, answers {here.answers}) is another than that of "
                f"{str(folder / RLEF)!r} ({record.judge.interpreter}, answers {record.judge.answers}): give both the "
                "same Python and turnwise."
            )
        settings = record.settings
        environments = Environments(
            problems, opened, rewards=settings.rewards, seed=settings.seed, stack=stack.pop_all()
        )
    return OpenedEnvironments(record, environments)


def _judge_settings(record: JudgeRecord, interpreter: str) -> JudgeSettings:
    return JudgeSettings(
        record.matcher, record.time_factor, interpreter, record.stub_imports, record.answers, record.tests
    )


def _ignore(advice: str) -> None:
    """Say nothing: each of an engine's many processes would."""


def _read(kind: type[_Read], path: Path) -> _Read:
    try:
        return from_json(kind, json.loads(read_whole(path, limit=_LARGEST)))
    except (OSError, ValueError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): write the engine's files anew by turnwise rlef "
            "--engine."
        ) from None
