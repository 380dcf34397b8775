"""Imported runs: what files of another tool hold, fitted to the problems of their tasks, as an ordinary run folder.

A problem that the files lack, a sample that is twice or too few, and a problem that the data do not have are errors;
what is allowed to be missing is a gap in the plan: not sampled, never wrong. What is not known of a run is said to be
unknown, and the profile of another tool's answers is ``imported``. No program is run, and none is judged.

An answer of another tool is a dialogue of one turn, with the judgement of the judge that it came with. That no public
test is recorded as failed makes it pass them, as far as is known; a status that says otherwise is taken. An answer
without a program is no code.
"""

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import turnwise
from turnwise.benchmarks.ids import problem_id
from turnwise.benchmarks.own import find_benchmarks
from turnwise.benchmarks.rows import digest_of
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import Answer, Contents, Dialogue
from turnwise.files import sync_folder, write_atomically, write_synced
from turnwise.records.codec import to_line
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.metrics import check_support, parse_n_at_k
from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.run_folder import (
    DialogueKey,
    RunFolder,
    RunRecord,
    Shard,
    TaskRecord,
    checked,
    digest_file,
    digest_line,
    plan_lines,
    plan_order,
)
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings, Sampling
from turnwise.records.trajectory import Call, End, Reply, Trajectory, Turn
from turnwise.runners.loading import open_task
from turnwise.runners.store import SHARD_DIALOGUES
from turnwise.tasks.catalog import find_tasks, tasks_of
from turnwise.tasks.extraction import extract_program
from turnwise.texts import printable, shown

IMPORTED_PROFILE = "imported"
UNKNOWN = "unknown"
Key = tuple[str, str, int]  # task, problem, sample
Imported = Mapping[tuple[str, str, int], Trajectory]


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says of the files: their format, tasks and model ("" where they say it), where the data are."""

    format: str
    tasks: str = ""
    model: str = ""
    data_dir: Path | None = None
    allow_missing: bool = False
    benchmark: str = ""


def known_settings(contents: Contents) -> RunSettings:
    """Return the settings that decide which problems and turns there are, as far as the files hold them."""
    if contents.header is None:
        return RunSettings(profile=IMPORTED_PROFILE, sampling=Sampling(temperature=contents.temperature))
    known = contents.header.settings
    return RunSettings(
        samples_per_problem=known.samples_per_problem,
        max_turns=known.max_turns,
        limit=known.limit,
        samples=known.samples,
        n_at_k=known.n_at_k,
        on_error=known.on_error,
    )


def make_record(
    contents: Contents,
    options: Options,
    settings: RunSettings,
    tasks: Sequence[TaskRecord],
    *,
    files: Sequence[Path],
    command: str,
) -> RunRecord:
    """Return run.json of a run with ``tasks``; ``settings`` stand in it where the files hold no settings."""
    header = contents.header
    model = dict(header.model) if header is not None else {}
    model["model"] = printable(options.model or contents.model, limit=200)
    model["imported_from"] = options.format
    model["files"] = ", ".join(printable(one.name, limit=200) for one in files)
    model["sha256"] = ", ".join(map(digest_of, files))
    own, judge, prompts = settings, JudgeRecord(contents.judge, "", "", 1.0), PromptsRecord(UNKNOWN, {})
    if header is not None:
        own, judge, prompts = header.settings, header.judge, header.prompts
    return checked(RunRecord(turnwise.__version__, model, own, judge, prompts, tuple(tasks), command), "The import")


def with_stub(answer: Answer, stub: str) -> Answer:
    """Return the answer with a whole program: one that continues the ``stub`` of its problem has it before it."""
    if not answer.continues_stub or answer.program is None:
        return answer
    return replace(answer, program=stub + answer.program)


def dialogue_of(answer: Answer, key: Key, *, max_turns: int, judge: str) -> Dialogue:
    """Return the dialogue of an answer to a task of ``max_turns``, judged by ``judge`` where it has a verdict."""
    task, problem, sample = key
    program = extract_program(answer.text) if answer.is_reply else answer.program
    found = answer.found if program is not None else None
    verdict = Verdict.PASSED
    if program is None:
        verdict = Verdict.NO_CODE
    elif found is not None and found.verdict is not None and not found.public_passed:
        verdict = found.verdict
    environment = Environment(judge or UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    turn = Turn((Call((), Reply(answer.text)),), program, Report(problem, verdict, (), None, environment))
    end = End.TURN_LIMIT if max_turns == 1 else End.NO_MORE_ANSWERS
    end = End.PUBLIC_PASSED if turn.public_report.public_passed else end
    judgements: tuple[Judgement, ...] = ()
    if program is not None and found is not None and found.verdict is not None:
        place = (task, problem, sample, 0, program_hash(program))
        judgements = (Judgement(*place, found.verdict, found.public_passed, 0, 0.0, UNKNOWN, judge),)
    return Dialogue(answer.origin, Trajectory(task, problem, sample, 0, (turn,), end), judgements)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A task of the run with its problems: the stub of each that is asked, by id, and those that cannot be scored."""

    record: TaskRecord
    problems: Mapping[str, str]
    unscorable: frozenset[str]


class Fitted:
    """What files hold, fitted to the problems of their tasks; raises TurnwiseError where they do not fit.

    ``left_out`` counts answers to problems that cannot be scored.
    """

    def __init__(self, contents: Contents, options: Options, environ: dict[str, str]) -> None:
        self._contents = contents
        self._options = options
        self._environ = environ
        self._settings = known_settings(contents)
        self._benchmarks = find_benchmarks(options.benchmark, tasks=options.tasks)
        self._known = tasks_of(self._benchmarks)
        self._tasks: dict[str, _Asked] = {}
        self.trajectories: dict[Key, Trajectory] = {}
        self.judgements: list[Judgement] = []
        self.left_out = 0
        if contents.header is None:
            self._take_answers()
        else:
            self._take_dialogues()
        self._check_complete()

    def record(self, files: Sequence[Path], command: str) -> RunRecord:
        """Return run.json: the run's own settings as far as the files hold them, and where it came from."""
        tasks = [one.record for one in self._tasks.values()]
        return make_record(self._contents, self._options, self._settings, tasks, files=files, command=command)

    def _take_answers(self) -> None:
        placed: list[tuple[str, str, int, Answer]] = []
        unknown: list[tuple[_Asked, str, str]] = []
        samples: Counter[tuple[str, str]] = Counter()
        for answer in self._contents.answers:
            task = self._task_of(answer)
            asked = self._ask(task)
            problem = problem_id(asked.record.benchmark, answer.problem)
            if problem not in asked.problems and problem not in asked.unscorable:
                unknown.append((asked, problem, answer.origin))
            elif self._is_asked(asked, problem, answer.origin):
                placed.append((task, problem, samples[task, problem], with_stub(answer, asked.problems[problem])))
                samples[task, problem] += 1
        if unknown:
            raise _unknown_problem(*unknown[0], others=len(unknown) - 1)
        if not placed:
            raise TurnwiseError("None of the answers is to a problem that can be scored: see turnwise tasks.")
        self._settings = replace(self._settings, samples_per_problem=max(samples.values()))
        for task, problem, sample, answer in placed:
            key = (task, problem, sample)
            max_turns = self._tasks[task].record.max_turns
            dialogue = dialogue_of(answer, key, max_turns=max_turns, judge=self._contents.judge)
            self.trajectories[key] = dialogue.trajectory
            self.judgements += dialogue.judgements

    def _take_dialogues(self) -> None:
        described = {one.task for one in self._contents.tasks}  # of a user's own benchmark no more is known here
        given = self._options.tasks
        names = {task.name for task in find_tasks(given, self._benchmarks)} if given else described | {*self._known}
        for one in self._contents.dialogues:
            trajectory = one.trajectory
            if trajectory.task not in described and trajectory.task not in self._known:
                raise TurnwiseError(
                    f"{one.origin} names the task {shown(trajectory.task)}, which is unknown here: see turnwise tasks."
                )
            if trajectory.task not in names:
                continue
            asked = self._ask(trajectory.task)
            if self._is_asked(asked, trajectory.problem, one.origin):
                self._check_dialogue(trajectory, asked.record, one.origin)
                self.trajectories[trajectory.task, trajectory.problem, trajectory.sample] = trajectory
                self.judgements += one.judgements
        if not self._tasks:
            raise TurnwiseError(f"The files hold no dialogue of --tasks {self._options.tasks}: leave it out.")
        samples = self._settings.samples_per_problem
        for asked in self._tasks.values():
            for metric in self._settings.n_at_k:
                check_support(parse_n_at_k(metric), samples=samples, turns=asked.record.max_turns)

    def _task_of(self, answer: Answer) -> str:
        """Return the task of an answer: the one given, or the one its file names; raises TurnwiseError without one."""
        given = self._options.tasks
        if given:
            tasks = find_tasks(given, self._benchmarks)
            if len(tasks) > 1:
                raise TurnwiseError(f"--tasks {given} names {len(tasks)} tasks, and answers belong to one: name that.")
            return tasks[0].name
        if answer.task not in self._known:
            said = f"names the task {shown(answer.task)}" if answer.task else "does not say of which task it is"
            raise TurnwiseError(f"{answer.origin} {said}: say it with --tasks (turnwise tasks lists them).")
        return answer.task

    def _ask(self, task: str) -> _Asked:
        if task not in self._tasks:
            record = next((one for one in self._contents.tasks if one.task == task), None)
            stubs: dict[str, str] = {}
            if record is None:
                options = self._options
                loaded = open_task(self._known[task], self._settings, data_dir=options.data_dir, environ=self._environ)
                record = loaded.to_record(self._settings)
                stubs = {problem.id: problem.starter_code for problem in loaded.asked}
            asked = {problem.id: stubs.get(problem.id, "") for problem in record.asked}
            self._tasks[task] = _Asked(record, asked, frozenset(record.left_out))
        return self._tasks[task]

    def _is_asked(self, asked: _Asked, problem: str, origin: str) -> bool:
        """Return whether a problem is asked; raises TurnwiseError unless it is left out of every score."""
        if problem in asked.unscorable:
            self.left_out += 1
            return False
        if problem not in asked.problems:
            raise _unknown_problem(asked, problem, origin)
        return True

    def _check_dialogue(self, trajectory: Trajectory, record: TaskRecord, origin: str) -> None:
        where = f"{origin}: {trajectory.problem}, sample {trajectory.sample},"
        samples = self._settings.samples_per_problem
        if (trajectory.task, trajectory.problem, trajectory.sample) in self.trajectories:
            raise TurnwiseError(f"{where} stands there twice: remove one of the two.")
        if not 0 <= trajectory.sample < samples:
            raise TurnwiseError(
                f"{where} is none of the {samples} samples of its run, counted from 0: export it again."
            )
        if len(trajectory.turns) > record.max_turns:
            raise TurnwiseError(
                f"{where} has {len(trajectory.turns)} turns, and its run at most {record.max_turns}: export it again."
            )

    def _check_complete(self) -> None:
        """Raise TurnwiseError for a problem without an answer, or with fewer than others, unless that is allowed."""
        samples = self._settings.samples_per_problem
        for name, asked in self._tasks.items():
            if self._options.allow_missing:
                continue
            there = Counter(problem for task, problem, _ in self.trajectories if task == name)
            plan = plan_order(asked.record, samples)
            lacking = list(
                dict.fromkeys(problem for problem, one in plan if (name, problem, one) not in self.trajectories)
            )
            absent = [problem for problem in lacking if not there[problem]]
            of_all = f"of the {len(asked.problems)} problems of {name}"
            if absent:
                raise TurnwiseError(
                    f"The files hold no answer to {len(absent)} {of_all} (first {absent[0]}): add them, or count "
                    "them as missing with --allow-missing."
                )
            if lacking:
                raise TurnwiseError(
                    f"The files hold {samples} answers to some problems and fewer to {len(lacking)} {of_all} "
                    f"({there[lacking[0]]} to {lacking[0]}): give each as many, or count those that lack as missing "
                    "with --allow-missing."
                )


def _unknown_problem(asked: _Asked, problem: str, origin: str, *, others: int = 0) -> TurnwiseError:
    also = f" (as for {others} more answers)" if others else ""
    return TurnwiseError(
        f"{origin} answers {shown(problem, limit=80)}, which is none of the {len(asked.problems)} problems of "
        f"{asked.record.task}{also}: name its task with --tasks, or remove the row."
    )


def write_imported(path: Path, record: RunRecord, trajectories: Imported, judgements: Iterable[Judgement]) -> RunFolder:
    """Write the run ``record`` with ``trajectories`` (by task, problem, sample); return its folder.

    Verdicts stand under the name of the judge that gave them. run.json is written last, so that a folder
    with one is whole; what cannot be written to its end is removed, so that it can be tried again.
    """
    folder = RunFolder(path)
    try:
        _write(folder, record, trajectories, judgements)
    except BaseException:
        for name in ("trajectories", "verdicts"):
            shutil.rmtree(path / name, ignore_errors=True)
        (path / "shards.jsonl").unlink(missing_ok=True)
        raise
    sync_folder(path)
    return folder


def _write(folder: RunFolder, record: RunRecord, trajectories: Imported, judgements: Iterable[Judgement]) -> None:
    shards = [shard for task in record.tasks for shard in _cut(task.task, _plan(record, task.task), trajectories)]
    for shard in shards:
        lines = [to_line(trajectories[shard.task, *key]) for key in shard.keys if (shard.task, *key) in trajectories]
        if lines:
            _write_shard(folder, shard, lines)
    verdicts = "".join(to_line(one) + "\n" for one in judgements)
    if verdicts:
        write_atomically(folder.verdicts(_file_name(record.judge.executor)), verdicts)
    write_atomically(folder.plan, plan_lines(shards))
    folder.write_record(record)


def _plan(record: RunRecord, task: str) -> list[DialogueKey]:
    return next(plan_order(one, record.samples_per_problem) for one in record.tasks if one.task == task)


def _cut(task: str, keys: Sequence[DialogueKey], trajectories: Imported) -> Iterator[Shard]:
    """Yield the shards of a plan, each all there or not there at all."""
    number = 0
    for _, group in groupby(keys, key=lambda key: (task, *key) in trajectories):
        run = tuple(group)
        for start in range(0, len(run), SHARD_DIALOGUES):
            yield Shard(task, number, run[start : start + SHARD_DIALOGUES])
            number += 1


def _write_shard(folder: RunFolder, shard: Shard, lines: Sequence[str]) -> None:
    path, data = folder.shard_file(shard), "\n".join([*lines, ""]).encode("ascii")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_synced(path, data)
    write_atomically(digest_file(path), digest_line(path, data))


def _file_name(judge: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", judge)[:60] or "imported"
