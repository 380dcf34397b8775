"""Validating a set of checkers: what each shows on the tests of its problem, on right outputs, wrong and hostile ones.

A checker validates if it accepts the expected output of every valid test (but one that is cut off), every output that
is known to be right and what a brute force calls right, and refuses what a brute force calls wrong, mutants that are
wrong whatever the problem is (mutations.py) and hostile outputs; if it always gives an answer; and if its validator
calls no test invalid but generated ones. Other mutants that it accepts are kept for a person to read. Expected, right
and hostile outputs are checked as the judge does it, in a process each; mutants and the many outputs of a brute force
share one.

Everything of a checker runs in the sandbox of ``Checkers``. A machine that fails ends the validating: nothing is known.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from turnwise.benchmarks.checkers.checker_sets import (
    BRUTE_FORCE,
    Validation,
    assemble,
    assemble_cases,
    checker_files,
    digest_of,
    read_checker_file,
    stem_of,
)
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.problem import Checker, Problem, TestCase
from turnwise.runners.judging.checking import Answer, Case, Checkers, CheckerSession, NoCasesError, Validity, Word
from turnwise.runners.judging.labels import Label, name_of_test
from turnwise.runners.judging.mutations import NEVER_RIGHT, hostile_outputs, mutants, words_of
from turnwise.texts import printable, shown

NO_DATA = "the data at hand do not have its problem"
MUTATED_TESTS = 20
CUT = "..."  # ends an expected output that the data set holds in part (taco/869), which no checker can accept
_LONGEST_MUTATED = 200_000  # characters of an expected output
_MOST_FAILURES = 3
_LONGEST_FAILURE = 300
_INPUTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that a checker accepts: how the expected output was changed, and the test."""

    kind: str
    test: str
    input: str
    expected: str
    output: str


@dataclass(frozen=True, slots=True)
class CheckerReport:
    """What validating one checker showed.

    ``constraints`` counts the tests left out by the constraint that they break, numbers masked; ``labels_left_out``
    are right outputs of such tests. Without ``has_data`` the checker was not tried: the validation is an earlier one.
    """

    validation: Validation
    constraints: Mapping[str, int] = field(default_factory=dict)
    survivors: tuple[Survivor, ...] = ()
    labels_left_out: int = 0
    has_data: bool = True

    @property
    def is_valid(self) -> bool:
        """Whether the checker may be used."""
        return not self.validation.failures


def validate_set(
    folder: Path,
    problems: Sequence[Problem],
    checkers: Checkers,
    *,
    labels: Mapping[str, Sequence[Label]],
    earlier: Mapping[str, Validation],
    workers: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[CheckerReport]:
    """Return a report on each checker in ``folder``, in the order of their files.

    ``labels`` are right outputs by problem id; ``earlier`` validations by file stand for checkers whose problem is none
    of ``problems``, as long as their files are the same. Raises InfrastructureError where the machine fails.
    """
    by_stem: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        by_stem.setdefault((problem.benchmark, stem_of(problem.name)), []).append(problem)

    def validate(file: tuple[str, str]) -> CheckerReport:
        benchmark, name = file
        found = by_stem.get((benchmark, Path(name).stem), [])
        if not found:
            return _report_without_data(folder, file, earlier.get(name))
        if len(found) > 1:
            why = f"it is of two problems, {shown(found[0].id)} and {shown(found[1].id)}: their names have one stem"
            return CheckerReport(Validation(found[0].id, name, _digest(folder, name), failures=(why,)))
        return _Validating(folder, name, found[0], labels.get(found[0].id, ()), checkers).report()

    files, reports = list(checker_files(folder)), []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        for report in pool.map(validate, files):
            reports.append(report)
            if on_progress is not None:
                on_progress(len(reports), len(files))
    return reports


def _report_without_data(folder: Path, file: tuple[str, str], earlier: Validation | None) -> CheckerReport:
    benchmark, name = file
    digest = _digest(folder, name)
    if earlier is not None and earlier.sha256 == digest:
        return CheckerReport(earlier, has_data=False)
    problem = earlier.problem if earlier else f"{benchmark}/{Path(name).stem.removeprefix('p')}"
    return CheckerReport(Validation(problem, name, digest, failures=(NO_DATA,)), has_data=False)


def _digest(folder: Path, name: str) -> str:
    try:
        return digest_of(read_checker_file(folder, name))
    except TurnwiseError:
        return ""


class _Failures:
    """Sentences on what a checker did wrong: of each part of the validating the first few, at which it ends."""

    def __init__(self) -> None:
        self.sentences: list[str] = []
        self._left = _MOST_FAILURES

    def begin(self) -> None:
        """Begin another part."""
        self._left = _MOST_FAILURES

    def add(self, sentence: str) -> None:
        """Add a sentence, unless there are enough."""
        if not self.are_many:
            self.sentences.append(printable(sentence, limit=_LONGEST_FAILURE))
        self._left -= 1

    @property
    def are_many(self) -> bool:
        """Whether this part has shown enough: what fails by its limits takes long."""
        return self._left <= 0


class _Validating:
    """The validating of one checker."""

    def __init__(self, folder: Path, file: str, problem: Problem, labels: Sequence[Label], checkers: Checkers) -> None:
        self._folder = folder
        self._file = file
        self._problem = problem
        self._tests = problem.public_tests + problem.hidden_tests
        self._labels = labels
        self._checkers = checkers
        self._failures = _Failures()
        self._constraints: Counter[str] = Counter()
        self._survivors: list[Survivor] = []

    def report(self) -> CheckerReport:
        """Return what the checker shows."""
        validation = Validation(self._problem.id, self._file, _digest(self._folder, self._file), len(self._tests))
        try:
            checker = assemble(read_checker_file(self._folder, self._file), origin=self._file)
        except TurnwiseError as error:
            self._fail(str(error))
            return CheckerReport(replace(validation, failures=tuple(self._failures.sentences)))
        valid = list(self._valid_tests(checker))
        labels = [label for label in self._labels if label.test in set(valid)]
        validation = replace(validation, valid=len(valid))
        if checker.checks:
            with self._checkers.open(checker) as session:
                self._check_references(session, valid)
                validation = replace(
                    validation, labels=self._count_labels(session, labels), hostile=self._count_hostile(session, valid)
                )
            with self._checkers.open(checker, is_fresh=False) as session:
                validation = replace(
                    validation,
                    mutations=self._count_mutations(session, valid),
                    survivors=len(self._survivors),
                    brute_force=self._count_agreements(session),
                )
        elif self._brute_force:
            self._failures.begin()
            self._fail("it has a brute force, and no check to agree with it")
        return CheckerReport(
            replace(validation, failures=tuple(self._failures.sentences)),
            dict(sorted(self._constraints.items())),
            tuple(self._survivors),
            len(self._labels) - len(labels) if checker.checks else 0,
        )

    def _valid_tests(self, checker: Checker) -> Iterator[int]:
        """Yield the numbers of the valid tests; whoever made the others, a public or private one is valid."""
        if not checker.validates:
            yield from range(len(self._tests))
            return
        self._failures.begin()
        generated = len(self._tests) - self._problem.generated_tests
        for number, answer in enumerate(self._validity(checker)):
            if answer.is_spoiled:
                raise _failed(answer.reason)
            if answer.constraint is None:
                self._fail(f"its validator gives no answer on the input of {self._name(number)}: {answer.reason}")
            elif not answer.constraint:
                yield number
            else:
                self._constraints[printable(masked(answer.constraint), limit=_LONGEST_FAILURE)] += 1
                if number < generated:
                    self._fail(f"it calls the input of {self._name(number)} invalid: {answer.constraint}")

    def _validity(self, checker: Checker) -> Iterator[Validity]:
        inputs = [test.input for test in self._tests]
        for start in range(0, len(inputs), _INPUTS_AT_ONCE):
            if not self._failures.are_many:
                yield from self._checkers.validity(checker, inputs[start : start + _INPUTS_AT_ONCE])

    def _check_references(self, session: CheckerSession, valid: Sequence[int]) -> None:
        self._failures.begin()
        for number in valid:
            test = self._tests[number]
            answer = _ask(session, test, test.output or "")
            if answer.word is not Word.RIGHT and not (test.output or "").rstrip().endswith(CUT):
                self._fail(f"{_verb(answer)} the expected output of {self._name(number)}: {answer.reason}")
            if self._failures.are_many:
                return

    def _count_labels(self, session: CheckerSession, labels: Sequence[Label]) -> int:
        """Return how many right outputs the checker accepts."""
        self._failures.begin()
        accepted = 0
        for label in labels:
            answer = _ask(session, self._tests[label.test], label.output)
            if answer.word is Word.RIGHT:
                accepted += 1
            else:
                self._fail(f"{_verb(answer)} a right output of {self._name(label.test)}: {answer.reason}")
            if self._failures.are_many:
                break
        return accepted

    def _count_hostile(self, session: CheckerSession, valid: Sequence[int]) -> int:
        """Return how many hostile outputs the checker refuses, of the first test and the one of the longest answer."""
        self._failures.begin()
        refused = 0
        longest = max(valid, key=lambda number: len(self._tests[number].output or ""), default=0)
        for number in dict.fromkeys([*valid[:1], longest] if valid else ()):
            test, expected = self._tests[number], self._tests[number].output or ""
            for what, output in hostile_outputs(expected).items():
                answer = _ask(session, test, output)
                is_equal = words_of(output.lower()) == words_of(expected.lower())
                if answer.word is None:
                    self._fail(f"it gives no answer on {what} for {self._name(number)}: {answer.reason}")
                elif answer.word is Word.RIGHT and not is_equal:
                    self._fail(f"it accepts {what} for {self._name(number)}")
                refused += answer.word is Word.WRONG
                if self._failures.are_many:
                    return refused
        return refused

    def _count_mutations(self, session: CheckerSession, valid: Sequence[int]) -> int:
        """Return how many mutants the checker refuses; those that survive are kept."""
        self._failures.begin()
        refused = 0
        chosen = self._tests_to_mutate(valid)
        for number in chosen:
            test, expected = self._tests[number], self._tests[number].output or ""
            others = [self._tests[other].output or "" for other in chosen if other != number]
            for mutant in mutants(expected, others=others):
                answer = _ask(session, test, mutant.text)
                refused += answer.word is Word.WRONG
                if answer.word is None:
                    self._fail(f"it gives no answer on {self._changed(number, mutant.kind)}: {answer.reason}")
                elif answer.word is Word.RIGHT and mutant.kind in NEVER_RIGHT:
                    self._fail(f"it accepts {self._changed(number, mutant.kind)}")
                elif answer.word is Word.RIGHT:
                    name = self._name(number)
                    self._survivors.append(Survivor(mutant.kind, name, test.input, expected, mutant.text))
                if self._failures.are_many:
                    return refused
        return refused

    def _tests_to_mutate(self, valid: Sequence[int]) -> list[int]:
        """Return valid tests of different answers, evenly from the shortest answer to the longest."""
        by_answer = {self._tests[number].output or "": number for number in reversed(valid)}
        fitting = [answer for answer in sorted(by_answer, key=len) if len(answer) <= _LONGEST_MUTATED]
        step = max(1.0, len(fitting) / MUTATED_TESTS)
        places = dict.fromkeys(int(number * step) for number in range(min(MUTATED_TESTS, len(fitting))))
        return [by_answer[fitting[place]] for place in places]

    def _count_agreements(self, session: CheckerSession) -> int:
        """Return of how many outputs the checker and the brute force say the same; 0 without one."""
        self._failures.begin()
        agreed = 0
        for case in self._cases():
            for output, is_right in case.outputs.items():
                answer = _ask(session, TestCase(case.text, case.expected), output)
                agreed += answer.word is (Word.RIGHT if is_right else Word.WRONG)
                if answer.word is not (Word.RIGHT if is_right else Word.WRONG):
                    said = answer.word.value if answer.word else "no answer"
                    self._fail(
                        f"the brute force calls {shown(output)} {'right' if is_right else 'wrong'} for the input "
                        f"{shown(case.text)}, and the checker says {': '.join(filter(None, (said, answer.reason)))}"
                    )
                if self._failures.are_many:
                    return agreed
        return agreed

    @property
    def _brute_force(self) -> str:
        """The file of the brute force, "" where there is none."""
        name = f"{BRUTE_FORCE}/{self._file}"
        return name if os.path.lexists(self._folder / name) else ""

    def _cases(self) -> tuple[Case, ...]:
        path = self._brute_force
        if not path:
            return ()
        try:
            return self._checkers.cases(assemble_cases(read_checker_file(self._folder, path), origin=path))
        except TurnwiseError as error:
            self._fail(str(error))
        except NoCasesError as error:
            if error.is_spoiled:
                raise _failed(str(error)) from None
            self._fail(f"its brute force makes no cases: {error}")
        return ()

    def _name(self, number: int) -> str:
        return name_of_test(self._problem, number)

    def _changed(self, number: int, kind: str) -> str:
        return f"the expected output of {self._name(number)} changed ({kind})"

    def _fail(self, sentence: str) -> None:
        """Add a failure; where the set lies on this machine is no part of it."""
        self._failures.add(sentence.replace(f"{self._folder}/", ""))


def masked(constraint: str) -> str:
    """Return a constraint with its numbers and quoted words masked, so that tests that break the same are counted.

    >>> masked("a is -5, not from 1 to 100")
    'a is #, not from # to #'
    """
    return re.sub(r"'[^']*'|\"[^\"]*\"|-?[0-9]+(?:\.[0-9]+)?", "#", constraint)


def _verb(answer: Answer) -> str:
    return "it gives no answer on" if answer.word is None else "it refuses"


def _ask(session: CheckerSession, test: TestCase, output: str) -> Answer:
    answer = session.ask(test.input, output, test.output or "")
    if answer.is_spoiled:
        raise _failed(answer.reason)
    return answer


def _failed(reason: str) -> InfrastructureError:
    return InfrastructureError(
        f"The machine failed while a checker was validated ({printable(reason, limit=200)}): try again."
    )
