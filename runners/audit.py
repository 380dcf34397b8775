"""The audit of a judge: what it says of programs and outputs of which the truth is known.

>>> audit = audit_task(task, machine, JudgeSettings(answers="equality"), AuditPlan(labels=Path("labels.jsonl")))
>>> [(rate.source, rate.accepted, rate.refused) for rate in audit.rates]
[('solutions of the data set', 12, 0), ('incorrect solutions of the data set', 1, 9)]

Known are the data set's own solutions and incorrect solutions, what a file of labels says, and mutants of right
programs that an original test shows wrong. What decides there is not the judge under audit but the best that is known:
checkers, where a set has one, on the valid ones of the tests that people wrote (not on generated ones).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import turnwise
from turnwise.benchmarks import values
from turnwise.benchmarks.checkers.checker_sets import validators_of
from turnwise.records.audit import Audit, Disagreements, Misjudged, ProblemAudit, Rate, Truth, Unit
from turnwise.records.choices import TestsChoice
from turnwise.records.judgement import program_hash
from turnwise.records.problem import Flag, Limits, Problem
from turnwise.records.report import Report, TestResult, Verdict
from turnwise.records.settings import DEFAULT_ANSWERS, EQUALITY, JudgeSettings, RunSettings
from turnwise.runners import mutants as mutants_module
from turnwise.runners.audit_labels import LabelledOutput, Labels, read_labels
from turnwise.runners.disagreements import Passing, find_disagreements
from turnwise.runners.execution.interface import PYTHON, Ending, Execution, Program
from turnwise.runners.judging.judge import Judge, JudgeRequest, OutputComparison, judge_record
from turnwise.runners.judging.labels import name_of_test
from turnwise.runners.loading import LoadedTask, Machine, open_task, resolve_task
from turnwise.tasks.catalog import Task
from turnwise.texts import printable

SOLUTIONS = "solutions of the data set"
INCORRECT = "incorrect solutions of the data set"
REFUSED = "refused by equality and a checker"
MUTANTS = "mutants, without the test that shows them wrong"
DEFAULT_MUTANTS = 5
_PARENTS = 3  # right programs of a problem that are tried as the parent of its mutants
_MUTATING_LIMITS = Limits(10.0, 2**30)
_NOTE_CHARACTERS = 200
_MOST_MISJUDGED = 10  # programs named for a problem; all are counted


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """What to audit with: a limit of problems, a file of labels, mutants for each problem, disagreements."""

    limit: float | None = None
    labels: Path | None = None
    mutants: int = DEFAULT_MUTANTS
    disagreements: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """A program as an answer to a problem, and what it is known to be; None where that is yet to be found out."""

    problem: str
    program: str
    source: str
    truth: Truth | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was judged, a program or an output; accepted is None where the machine failed."""

    problem: str
    program: str
    source: str
    truth: Truth
    unit: Unit
    accepted: bool | None
    misjudged: Misjudged | None = None


@dataclass(frozen=True, slots=True)
class _Mutant:
    """A mutant, and the input of the original test that shows it wrong."""

    problem: str
    program: str
    input: str


def audit_task(task: Task, machine: Machine, settings: JudgeSettings, plan: AuditPlan) -> Audit:
    """Return the audit of the judge that ``settings`` describe on the problems of ``task``.

    Raises TurnwiseError as ``load_task`` and ``read_labels`` do.
    """
    opened = open_task(task, RunSettings(limit=plan.limit), data_dir=machine.data_dir, environ=machine.environ)
    labels = read_labels(plan.labels, opened.source, opened.asked) if plan.labels else Labels()
    loaded = resolve_task(opened, machine, settings)
    with closing(machine.open_cache()) as cache, closing(machine.open_judge(settings, cache)) as judge:
        return _Auditor(opened, loaded, judge, settings, machine).audit(labels, plan)


class _Auditor:
    """Audits one judge on the problems that are ``loaded`` for it, and were ``opened`` as the data have them."""

    def __init__(
        self, opened: LoadedTask, loaded: LoadedTask, judge: Judge, settings: JudgeSettings, machine: Machine
    ) -> None:
        self._opened = opened
        self._loaded = loaded
        self._problems = {problem.id: problem for problem in loaded.asked}
        self._as_opened = {problem.id: problem for problem in opened.asked}
        self._judge = judge
        self._settings = settings
        self._machine = machine
        self._best: dict[str, Problem] = {}

    def audit(self, labels: Labels, plan: AuditPlan) -> Audit:
        """Return what the labels, the data set's programs and the mutants show."""
        known = list(self._programs(labels))
        if plan.mutants or plan.disagreements or any(program.truth is None for program in known):
            self._best = self._load_best()
        reports = self._judge_all(
            "programs", [JudgeRequest(self._problems[program.problem], program.program) for program in known]
        )
        truths = self._find_truths(known)
        programs = [
            self._judged(program, truth, source, report)
            for program, (truth, source), report in zip(known, truths, reports, strict=True)
            if truth is not None
        ]
        outputs = self._judge_outputs([label for label in labels.outputs if label.problem in self._problems])
        made, mutants = self._judge_mutants(known, plan.mutants)
        judged = [*programs, *outputs]
        task = self._opened.task
        return Audit(
            turnwise=turnwise.__version__,
            task=task.name,
            benchmark=task.benchmark.name,
            split=task.split,
            data_sha256=self._opened.source.digest,
            judge=judge_record(self._judge.environment, self._settings),
            tier=self._judge.environment.tier,
            problems=len(self._problems),
            rates=(*_rates(judged), *_rates(mutants)),
            by_problem=_by_problem(judged, mutants),
            labels=labels.name,
            unknown=sum(truth is None for truth, _ in truths),
            left_out=labels.left_out + sum(label.problem not in self._problems for label in labels.outputs),
            mutants=made,
            disagreements=self._disagreements(known, reports) if plan.disagreements else None,
        )

    def _programs(self, labels: Labels) -> Iterator[_Known]:
        """Yield the programs to judge, each once for a source."""
        for problem in self._problems.values():
            for program in dict.fromkeys(problem.solutions):
                yield _Known(problem.id, program, SOLUTIONS, Truth.RIGHT)
            for program in dict.fromkeys(problem.incorrect_solutions):
                yield _Known(problem.id, program, INCORRECT, Truth.WRONG)
        for label in labels.programs:
            if label.problem in self._problems:
                yield _Known(label.problem, label.program, label.source, label.truth)

    def _load_best(self) -> dict[str, Problem]:
        """Return the problems as they are best judged: by checkers where there are some, on valid tests."""
        answers = DEFAULT_ANSWERS if self._settings.answers == EQUALITY else self._settings.answers
        best = replace(self._settings, answers=answers, tests=TestsChoice.VALID.value)
        loaded = self._loaded if best == self._settings else resolve_task(self._opened, self._machine, best)
        return {problem.id: problem for problem in (*loaded.asked, *loaded.untestable)}

    def _judge_all(self, what: str, requests: Sequence[JudgeRequest]) -> list[Report]:
        reports = []
        for report in self._judge.judge_many(requests):
            reports.append(report)
            self._machine.report(f"{self._opened.task.name}: {what}", len(reports), len(requests))
        return reports

    def _find_truths(self, known: Sequence[_Known]) -> list[tuple[Truth | None, str]]:
        """Return what each program is known to be, and by which source.

        One of unknown truth is known to be wrong if a checker refuses what it prints on an original test.
        """
        unknown = [program for program in known if program.truth is None and self._best[program.problem].is_checked]
        requests = [JudgeRequest(_originals(self._best[program.problem]), program.program) for program in unknown]
        wrong = {
            program
            for program, report in zip(unknown, self._judge_all("programs of unknown truth", requests), strict=True)
            if (result := _wrong_answer(report)) is not None and not result.note
        }
        return [(Truth.WRONG, REFUSED) if program in wrong else (program.truth, program.source) for program in known]

    def _judged(self, known: _Known, truth: Truth, source: str, report: Report) -> _Judged:
        problem, digest = self._problems[known.problem], program_hash(known.program)
        accepted = None if report.verdict is Verdict.INFRASTRUCTURE_FAILURE else report.passed
        misjudged = None
        if accepted is False and truth is Truth.RIGHT:
            test, verdict, note = "", report.verdict, report.error
            if (failure := _first_failure(problem, report)) is not None:
                text, result = failure
                test, verdict, note = self._name_of(known.problem, text), result.verdict, result.note or result.error
            last = (note.strip().splitlines() or [""])[-1]
            misjudged = Misjudged(digest, source, truth, test, verdict.value, printable(last, limit=_NOTE_CHARACTERS))
        elif accepted and truth is Truth.WRONG:
            misjudged = Misjudged(digest, source, truth)
        return _Judged(known.problem, digest, source, truth, Unit.PROGRAMS, accepted, misjudged)

    def _name_of(self, problem_id: str, text: str) -> str:
        """Return the name that the first test with this input has in the data."""
        problem = self._as_opened[problem_id]
        tests = problem.public_tests + problem.hidden_tests
        return name_of_test(problem, next(number for number, test in enumerate(tests) if test.input == text))

    def _judge_outputs(self, labels: Sequence[LabelledOutput]) -> list[_Judged]:
        """Return how the judge compares right outputs, each, and the programs that printed them, each as a whole."""
        by_program: dict[tuple[str, str, str], list[LabelledOutput]] = defaultdict(list)
        for label in labels:
            by_program[label.problem, label.program, label.source].append(label)
        outcomes: list[_Judged] = []
        with ThreadPoolExecutor(max_workers=self._machine.workers) as pool:
            for number, judged in enumerate(pool.map(self._compare, by_program.values()), 1):
                outcomes += judged
                self._machine.report(f"{self._opened.task.name}: right outputs", number, len(by_program))
        return outcomes

    def _compare(self, labels: Sequence[LabelledOutput]) -> list[_Judged]:
        """Return what the judge says of the outputs of one program on tests that are in use."""
        problem, first = self._problems[labels[0].problem], labels[0]
        used = {test.input: test for test in (*problem.hidden_tests, *problem.public_tests)}
        place = (problem.id, printable(first.program, limit=40), first.source, Truth.RIGHT)
        outputs, failure = [], None
        with OutputComparison(problem, self._judge.environment.matcher, self._machine.checkers) as comparison:
            for label in (label for label in labels if label.test.input in used):
                execution = Execution(Ending.FINISHED, label.output.encode("utf-8", "surrogatepass"))
                compared = comparison.compare(used[label.test.input], execution)
                is_missing = compared.verdict is Verdict.INFRASTRUCTURE_FAILURE
                accepted = None if is_missing else compared.verdict is Verdict.PASSED
                outputs.append(_Judged(*place, Unit.OUTPUTS, accepted))
                if accepted is False and failure is None:
                    is_public = any(label.test.input == test.input for test in problem.public_tests)
                    reason = compared.reason if is_public else ""
                    note = ": ".join(filter(None, (compared.note, reason)))
                    name = self._name_of(problem.id, label.test.input)
                    failure = Misjudged(place[1], first.source, Truth.RIGHT, name, compared.verdict.value, note)
        if not outputs:
            return []
        answers = {output.accepted for output in outputs}
        whole = False if False in answers else None if None in answers else True
        return [*outputs, _Judged(*place, Unit.PROGRAMS, whole, failure)]

    def _judge_mutants(self, known: Sequence[_Known], count: int) -> tuple[int, list[_Judged]]:
        """Return how many mutants were made, and what the judge says of the wrong ones without the test that tells."""
        if not count:
            return 0, []
        made = [
            _Known(parent.problem, text, MUTANTS, None)
            for parent in self._parents(known)
            for text in self._mutants_of(parent.program, count)
        ]
        requests = [JudgeRequest(_originals(self._best[mutant.problem]), mutant.program) for mutant in made]
        wrong = []
        for mutant, report in zip(made, self._judge_all("mutants on original tests", requests), strict=True):
            if (result := _wrong_answer(report)) is not None:
                tests = _originals(self._best[mutant.problem]).hidden_tests
                wrong.append(_Mutant(mutant.problem, mutant.program, tests[result.index].input))
        requests = [JudgeRequest(self._without(mutant.problem, mutant.input), mutant.program) for mutant in wrong]
        reports = self._judge_all("wrong mutants on other tests", requests)
        return len(made), [
            _Judged(
                mutant.problem,
                program_hash(mutant.program),
                MUTANTS,
                Truth.WRONG,
                Unit.PROGRAMS,
                None if report.verdict is Verdict.INFRASTRUCTURE_FAILURE else report.passed,
            )
            for mutant, report in zip(wrong, reports, strict=True)
        ]

    def _parents(self, known: Sequence[_Known]) -> list[_Known]:
        """Return a right program of each problem, one that its original tests accept.

        Problems with several answers and no checker have none: nobody could say that a mutant is wrong.
        """
        tried: dict[str, list[_Known]] = defaultdict(list)
        for program in known:
            best = self._best[program.problem]
            can_tell = best.is_checked or Flag.MULTIPLE_ANSWERS not in best.flags
            if program.truth is Truth.RIGHT and can_tell and len(tried[program.problem]) < _PARENTS:
                tried[program.problem].append(program)
        candidates = [program for of_problem in tried.values() for program in of_problem]
        requests = [JudgeRequest(_originals(self._best[program.problem]), program.program) for program in candidates]
        reports = self._judge_all("right programs on original tests", requests)
        chosen: dict[str, _Known] = {}
        for program, report in zip(candidates, reports, strict=True):
            if report.passed:
                chosen.setdefault(program.problem, program)
        return list(chosen.values())

    def _mutants_of(self, program: str, count: int) -> list[str]:
        """Return mutants of a program, which is parsed in the sandbox alone."""
        source = Path(mutants_module.__file__).read_bytes()
        arguments = values.dumps([program, count]).encode("ascii")
        with self._machine.executor.open(Program(source, "mutants_of"), PYTHON, _MUTATING_LIMITS) as session:
            execution = next(iter(session.run([arguments])))
        if execution.ending is not Ending.FINISHED:
            return []
        try:
            texts = values.loads(execution.output.decode("ascii"))
        except (ValueError, RecursionError):
            return []
        return [text for text in texts if isinstance(text, str)][:count] if isinstance(texts, list) else []

    def _without(self, problem_id: str, text: str) -> Problem:
        """Return a problem as it is judged without the tests of this input."""
        problem = self._problems[problem_id]
        tests = problem.public_tests + problem.hidden_tests
        return problem.without_tests({number for number, test in enumerate(tests) if test.input == text})

    def _disagreements(self, known: Sequence[_Known], reports: Sequence[Report]) -> Disagreements:
        passing: dict[str, list[Passing]] = defaultdict(list)
        for program, report in zip(known, reports, strict=True):
            if report.passed:
                passing[program.problem].append(Passing(program.program, program.source))
        answers = validators_of(self._settings)
        problems = [(self._best[name], answers.find(name), passing[name]) for name in self._problems]
        matcher = self._judge.environment.matcher
        return find_disagreements(problems, self._machine, matcher=matcher, what=self._opened.task.name)


def _originals(problem: Problem) -> Problem:
    """Return a problem with the tests that people wrote, all of them hidden: the first that fails ends it."""
    hidden = problem.hidden_tests[: len(problem.hidden_tests) - problem.generated_tests]
    return replace(problem, public_tests=(), hidden_tests=problem.public_tests + hidden, generated_tests=0)


def _wrong_answer(report: Report) -> TestResult | None:
    """Return the hidden test at which a program failed by its answer, and in no other way."""
    last = report.hidden[-1] if report.hidden else None
    return last if last is not None and last.verdict is Verdict.WRONG_ANSWER else None


def _first_failure(problem: Problem, report: Report) -> tuple[str, TestResult] | None:
    """Return the input of the first test that failed, and its result; None where no test ran."""
    for tests, results in ((problem.public_tests, report.public), (problem.hidden_tests, report.hidden or ())):
        for result in results:
            if result.verdict is not Verdict.PASSED:
                return tests[result.index].input, result
    return None


def _rates(judged: Iterable[_Judged]) -> list[Rate]:
    """Return the rate of each source, right ones first, in the order in which sources come."""
    groups: dict[tuple[str, Truth, Unit], list[bool | None]] = defaultdict(list)
    for outcome in judged:
        groups[outcome.source, outcome.truth, outcome.unit].append(outcome.accepted)
    rates = [
        Rate(*group, accepted.count(True), accepted.count(False), accepted.count(None))
        for group, accepted in groups.items()
    ]
    return sorted(rates, key=lambda rate: rate.truth is Truth.WRONG)


def _by_problem(judged: Sequence[_Judged], mutants: Sequence[_Judged]) -> tuple[ProblemAudit, ...]:
    """Return the problems with a fault, worst first."""
    programs: dict[str, list[_Judged]] = defaultdict(list)
    for outcome in judged:
        if outcome.unit is Unit.PROGRAMS and outcome.accepted is not None:
            programs[outcome.problem].append(outcome)
    changed: dict[str, list[_Judged]] = defaultdict(list)
    for outcome in mutants:
        if outcome.accepted is not None:
            changed[outcome.problem].append(outcome)
    names = dict.fromkeys([*programs, *changed])
    audits = [_problem_audit(name, programs[name], changed[name]) for name in names]
    with_fault = (audit for audit in audits if any(audit.faults))
    return tuple(sorted(with_fault, key=lambda audit: (*(-fault for fault in audit.faults), audit.problem)))


def _problem_audit(name: str, programs: Sequence[_Judged], mutants: Sequence[_Judged]) -> ProblemAudit:
    counts: Mapping[tuple[Truth, bool], int] = {
        (truth, accepted): sum(program.truth is truth and program.accepted is accepted for program in programs)
        for truth in Truth
        for accepted in (True, False)
    }
    return ProblemAudit(
        problem=name,
        right=counts[Truth.RIGHT, True] + counts[Truth.RIGHT, False],
        refused=counts[Truth.RIGHT, False],
        wrong=counts[Truth.WRONG, True] + counts[Truth.WRONG, False],
        accepted=counts[Truth.WRONG, True],
        mutants=len(mutants),
        unnoticed=sum(bool(mutant.accepted) for mutant in mutants),
        misjudged=tuple(program.misjudged for program in programs if program.misjudged is not None)[:_MOST_MISJUDGED],
    )
