"""Judging the own solutions of training problems: which are kept, which are left out; goes on where it stopped.

>>> verify_task(task, machine, JudgeSettings()).kept
188

A problem is kept if at least one of its first solutions passes and none of them gives a wrong answer: a second solution
that runs out of time or memory does not drop it. Nothing else is learned of the judge here; ``audit`` does that.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.locks import Lock
from turnwise.records.codec import to_line
from turnwise.records.own_solutions import Finding, Verification, VerifiedProblem
from turnwise.records.problem import Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.settings import DEFAULT_OWN_SOLUTIONS, JudgeSettings, OnError, RunSettings
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.judging.verdicts import RecentCache
from turnwise.runners.loading import Machine, open_task, resolve_problems
from turnwise.runners.logs import AppendLog
from turnwise.runners.verified import VerifiedProblems, read_verified
from turnwise.tasks.catalog import Task

_RECENT = 1000  # reports: those of a problem and its neighbours, among which programs come twice


def verify_task(
    task: Task,
    machine: Machine,
    judge: JudgeSettings,
    *,
    solutions: int = DEFAULT_OWN_SOLUTIONS,
    limit: float | None = None,
    on_error: OnError = "raise",
) -> Verification:
    """Return what ``judge`` makes of the first own ``solutions`` of each problem of ``task``, and keep it in the cache.

    What is there already is not judged again but where the machine failed. Raises TurnwiseError as ``open_task`` does,
    and if another process is at it.
    """
    settings = RunSettings(limit=limit, on_error=on_error)
    opened = open_task(task, settings, data_dir=machine.data_dir, environ=machine.environ)
    verified = VerifiedProblems(machine.executor, machine.cache_dir, judge, solutions)
    path = verified.file(task, opened.source)
    with _alone(path, task), closing(AppendLog(path)) as log:
        known = read_verified(path)
        todo = [problem for problem in opened.asked if not _is_decided(known.get(problem.id))]
        done = len(opened.asked) - len(todo)
        machine.report(f"{task.name}: own solutions", done, len(opened.asked))
        if todo:
            resolved = resolve_problems(task, todo, machine, judge)
            with closing(machine.open_judge(judge, RecentCache(_RECENT))) as opened_judge:
                for found in _judge_problems(resolved, opened_judge, solutions):
                    log.write(to_line(found))
                    known[found.problem] = found
                    done += 1
                    machine.report(f"{task.name}: own solutions", done, len(opened.asked))
    findings = [known[problem.id] for problem in opened.asked]
    left_out = tuple(found for found in findings if found.finding is not Finding.KEPT)
    return Verification(
        task=task.name,
        benchmark=task.benchmark.name,
        split=task.split,
        data_sha256=opened.source.digest,
        judge=verified.judge_record(),
        solutions=solutions,
        loaded=len(opened.source.problems),
        judged=len(findings),
        kept=len(findings) - len(left_out),
        left_out=left_out,
        benchmark_sha256=task.benchmark.sha256,
    )


@contextmanager
def _alone(path: Path, task: Task) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = Lock(path.with_suffix(".lock"))
    except BlockingIOError:
        raise TurnwiseError(
            f"Another process judges the own solutions of {task.name} in the same way: wait until it has ended."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _is_decided(found: VerifiedProblem | None) -> bool:
    return found is not None and found.finding is not Finding.OWN_SOLUTIONS_UNDECIDED


def _judge_problems(problems: Sequence[Problem], judge: Judge, solutions: int) -> Iterator[VerifiedProblem]:
    """Yield what the first own ``solutions`` of each problem show, in the order of the problems."""
    programs = [tuple(dict.fromkeys(one.solutions))[:solutions] if one.is_scorable else () for one in problems]
    reports = judge.judge_many(
        JudgeRequest(problem, program)
        for problem, of_problem in zip(problems, programs, strict=True)
        for program in of_problem
    )
    for problem, of_problem in zip(problems, programs, strict=True):
        if not problem.is_scorable:
            yield VerifiedProblem(problem.id, Finding.NO_HIDDEN_TESTS)
            continue
        verdicts = tuple(_verdict_of(next(reports)) for _ in of_problem)
        yield VerifiedProblem(problem.id, finding_of(verdicts), verdicts)


def _verdict_of(report: Report) -> Verdict:
    """Return the verdict on a solution: a wrong answer on any test before another failure."""
    results = report.public + (report.hidden or ())
    is_wrong = any(result.verdict is Verdict.WRONG_ANSWER for result in results)
    return Verdict.WRONG_ANSWER if is_wrong else report.verdict


def finding_of(verdicts: Sequence[Verdict]) -> Finding:
    """Return what the verdicts on the own solutions of a problem say of it."""
    if not verdicts:
        return Finding.NO_SOLUTION
    if Verdict.WRONG_ANSWER in verdicts:
        return Finding.OWN_SOLUTIONS_FAIL
    if Verdict.INFRASTRUCTURE_FAILURE in verdicts:
        return Finding.OWN_SOLUTIONS_UNDECIDED
    return Finding.KEPT if Verdict.PASSED in verdicts else Finding.OWN_SOLUTIONS_FAIL
