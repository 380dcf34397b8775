"""Disagreements: programs that pass are run against each other on new valid inputs; where they differ, one is wrong.

So tests that accept wrong programs show themselves without any label. Inputs are those of valid tests with a small
change, and only those that the problem's validator accepts. Validators read words and take no heed of lines, and many
right programs read lines: so a change keeps the lines as they are, with the numbers that count words or lines. Where a
checker refuses an output, it is known whose is wrong; else two programs are named of which one is.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from turnwise.records.audit import Disagreement, Disagreements
from turnwise.records.judgement import program_hash
from turnwise.records.problem import Checker, Flag, Problem, TestCase
from turnwise.records.report import Verdict
from turnwise.runners.execution.interface import PYTHON, Ending, Execution
from turnwise.runners.judging.checking import CheckerSession, Word, text_of
from turnwise.runners.judging.judge import OutputComparison, program_of
from turnwise.runners.loading import Machine
from turnwise.texts import printable

INPUTS, TRIED = 40, 600  # valid inputs of a problem, and how many are tried to find them
PROGRAMS = 6  # of a problem, the known right ones first
EXAMPLES = 5  # disagreements named for a problem; all count
_LONGEST_INPUT = 2000  # characters of a test that is changed
_SHOWN = 300  # characters of an input or output in a finding
_CHANGES = 3  # at most, of one input
_BOUNDS = (0, 1, 2, -1, 10**5, 10**9)  # and the smallest and largest numbers of all tests
_WORD = re.compile(r"\S+")
_INTEGER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Passing:
    """A program that the judge accepts, and where it comes from."""

    program: str
    source: str

    @property
    def name(self) -> str:
        """The hash of its text and its source."""
        return f"{program_hash(self.program)} ({self.source})"


@dataclass(frozen=True, slots=True)
class _Compared:
    """What comparing the programs of one problem showed: those known to be wrong, and pairs of which one is.

    No program is in two pairs, so that each pair has a wrong one of its own.
    """

    programs: int = 0
    inputs: int = 0
    wrong: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)
    examples: list[Disagreement] = field(default_factory=list)

    @property
    def least_wrong(self) -> int:
        """How many programs are wrong at least."""
        return len(self.wrong) + sum(self.wrong.isdisjoint(pair) for pair in self.pairs)


def find_disagreements(
    problems: Sequence[tuple[Problem, Checker | None, Sequence[Passing]]],
    machine: Machine,
    *,
    matcher: str,
    what: str,
) -> Disagreements:
    """Return where the passing programs of each problem, which come with its validator, differ on new valid inputs."""
    work, compared = [], []
    without_validator = without_checker = few_programs = 0
    for problem, validator, passing in problems:
        programs = list(_distinct(passing))[:PROGRAMS]
        if validator is None or not validator.validates or problem.is_function_call:
            without_validator += 1
        elif Flag.MULTIPLE_ANSWERS in problem.flags and not problem.is_checked:
            without_checker += 1
        elif len(programs) < 2:
            few_programs += 1
        else:
            work.append((problem, validator, programs))
    with ThreadPoolExecutor(max_workers=machine.workers) as pool:
        for result in pool.map(lambda item: _compare(item[0], item[1], item[2], machine, matcher), work):
            compared.append(result)
            machine.report(f"{what}: disagreements", len(compared), len(work))
    return Disagreements(
        problems=len(work),
        without_validator=without_validator,
        without_checker=without_checker,
        few_programs=few_programs,
        programs=sum(result.programs for result in compared),
        inputs=sum(result.inputs for result in compared),
        wrong=sum(result.least_wrong for result in compared),
        examples=tuple(example for result in compared for example in result.examples[:EXAMPLES]),
    )


def changed_inputs(texts: Sequence[str], generator: np.random.Generator, count: int) -> list[str]:
    """Return up to ``count`` different texts, each one of ``texts`` with one to three small changes."""
    short = [text for text in texts if len(text) <= _LONGEST_INPUT]
    numbers = sorted({int(word) for text in short for word in text.split() if _INTEGER.fullmatch(word)})
    bounds = (*_BOUNDS, *numbers[:2], *numbers[-2:])
    changed_texts: dict[str, None] = {}
    for _ in range(count if short else 0):
        text = short[generator.integers(len(short))]
        counts = _counts_in(text)
        for _ in range(generator.integers(1, _CHANGES + 1)):
            changed = _KINDS[generator.integers(len(_KINDS))](text, generator, bounds)
            if counts <= (counts_now := _counts_in(changed)):
                text, counts = changed, counts_now
        if text not in texts:
            changed_texts[text] = None
    return list(changed_texts)


def _counts_in(text: str) -> set[tuple[int, int, str]]:
    """Return the numbers that count what follows, by line and place in it: words, letters or lines."""
    lines = [line.split() for line in text.split("\n")]
    alike = [1] * len(lines)  # lines from this one on with as many words
    for number in range(len(lines) - 2, -1, -1):
        if len(lines[number]) == len(lines[number + 1]):
            alike[number] += alike[number + 1]
    numbers: set[tuple[int, int, str]] = set()
    for number, words in enumerate(lines):
        if words and words[0] == str(len(words) - 1):
            numbers.add((number, 0, "words of the line"))
        if number + 1 < len(lines):
            following = lines[number + 1]
            counts = {str(alike[number + 1]): "lines"}
            if len(following) == 1:
                counts[str(len(following[0]))] = "letters"
            counts[str(len(following))] = "words"
            if not counts.keys().isdisjoint(words):
                numbers |= {(number, place, counts[word]) for place, word in enumerate(words) if word in counts}
    return numbers


def _distinct(passing: Sequence[Passing]) -> Iterator[Passing]:
    """Yield the programs, each text once, with the source that names it first."""
    seen: set[str] = set()
    for program in passing:
        if program.program not in seen:
            seen.add(program.program)
            yield program


def _compare(
    problem: Problem, validator: Checker, programs: Sequence[Passing], machine: Machine, matcher: str
) -> _Compared:
    inputs = _valid_inputs(problem, validator, machine)
    compared = _Compared(len(programs), len(inputs))
    with ExitStack() as stack:
        sessions = [
            stack.enter_context(machine.executor.open(program_of(problem, program.program), PYTHON, problem.limits))
            for program in programs
        ]
        comparison = stack.enter_context(OutputComparison(problem, matcher, machine.checkers))
        checker = None
        if problem.checker is not None and problem.checker.checks:
            checker = stack.enter_context(machine.checkers.open(problem.checker))
        for text in inputs:
            data = text.encode("utf-8", "surrogatepass")
            runs = {
                program: next(iter(session.run([data])))
                for program, session in zip(programs, sessions, strict=True)
                if program.name not in compared.wrong
            }
            _compare_runs(problem, text, runs, comparison, checker, compared)
    return compared


def _compare_runs(
    problem: Problem,
    text: str,
    runs: Mapping[Passing, Execution],
    comparison: OutputComparison,
    checker: CheckerSession | None,
    compared: _Compared,
) -> None:
    """Add to ``compared`` what the runs of all programs on one input show."""

    def add(first: Passing, second: Passing | None, reason: str) -> None:
        name, output = (second.name, _cut(text_of(runs[second].output))) if second is not None else ("", "")
        first_output = _cut(text_of(runs[first].output))
        compared.examples.append(Disagreement(problem.id, first.name, name, _cut(text), first_output, output, reason))

    answered = {}
    for program, run in runs.items():
        if run.hampered:
            continue
        if run.ending is not Ending.FINISHED:
            verdict = comparison.compare(TestCase(text, ""), run).verdict
            if verdict is not Verdict.INFRASTRUCTURE_FAILURE:
                compared.wrong.add(program.name)
                add(program, None, f"{verdict.value} on a valid input")
        else:
            output = text_of(run.output)
            answer = checker.ask(text, output, output) if checker is not None else None
            if answer is not None and answer.word is Word.WRONG:
                compared.wrong.add(program.name)
                add(program, None, printable(f"the checker refuses its output: {answer.reason}", limit=_SHOWN))
            elif answer is None or answer.word is Word.RIGHT:
                answered[program] = run
    for first, second in combinations(answered, 2):
        named = {name for pair in compared.pairs for name in pair}
        if not named & {first.name, second.name} and _differ(
            text, answered[first], answered[second], comparison, checker
        ):
            compared.pairs.add((first.name, second.name))
            add(first, second, "one of the two outputs is wrong")


def _differ(
    text: str, first: Execution, second: Execution, comparison: OutputComparison, checker: CheckerSession | None
) -> bool:
    """Return whether one of two outputs is wrong.

    A checker decides by either as the expected one; without it they differ if neither equals the other.
    """
    if first.output == second.output:
        return False
    refused = []
    for expected, output in ((first, second), (second, first)):
        try:
            test = TestCase(text, expected.output.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            return False
        compared = comparison.compare(test, output)
        refused.append(compared.verdict is Verdict.WRONG_ANSWER and not compared.note)
    return any(refused) if checker is not None else all(refused)


def _valid_inputs(problem: Problem, validator: Checker, machine: Machine) -> list[str]:
    """Return new inputs that keep to the statement."""
    seed = int.from_bytes(hashlib.sha256(problem.id.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    texts = [test.input for test in (*problem.public_tests, *problem.hidden_tests)]
    tried = changed_inputs(texts, np.random.default_rng(seed), TRIED)
    broken = machine.checkers.validity(validator, tried)
    return [text for text, validity in zip(tried, broken, strict=True) if validity.constraint == ""][:INPUTS]


def _cut(text: str) -> str:
    return printable(text.strip(), limit=_SHOWN)


Kind = Callable[[str, np.random.Generator, Sequence[int]], str]


def _pick(text: str, pattern: re.Pattern[str], generator: np.random.Generator) -> re.Match[str] | None:
    """Return one of the words of ``text`` that are as ``pattern`` has them."""
    words = [match for match in _WORD.finditer(text) if pattern.fullmatch(match.group())]
    return words[generator.integers(len(words))] if words else None


def _put(text: str, match: re.Match[str], word: str) -> str:
    return text[: match.start()] + word + text[match.end() :]


def _step_number(text: str, generator: np.random.Generator, _: Sequence[int]) -> str:
    match = _pick(text, _INTEGER, generator)
    return text if match is None else _put(text, match, str(int(match.group()) + (1, -1)[generator.integers(2)]))


def _bound_number(text: str, generator: np.random.Generator, bounds: Sequence[int]) -> str:
    """Put a value in place of a number that is often a boundary, half of it or its double."""
    match = _pick(text, _INTEGER, generator)
    if match is None:
        return text
    values = (*bounds, int(match.group()) // 2, int(match.group()) * 2)
    return _put(text, match, str(values[generator.integers(len(values))]))


def _swap_words(text: str, generator: np.random.Generator, _: Sequence[int]) -> str:
    words = list(_WORD.finditer(text))
    if len(words) < 2:
        return text
    first, second = sorted(generator.choice(len(words), 2, replace=False))
    return _put(_put(text, words[second], words[first].group()), words[first], words[second].group())


def _change_letter(text: str, generator: np.random.Generator, _: Sequence[int]) -> str:
    """Put a letter of the same input in place of a letter of one word."""
    match, other = _pick(text, _WORD, generator), _pick(text, _WORD, generator)
    if match is None or other is None:
        return text
    word, place = match.group(), generator.integers(len(match.group()))
    letter = other.group()[generator.integers(len(other.group()))]
    return _put(text, match, word[:place] + letter + word[place + 1 :])


def _shorten(text: str, generator: np.random.Generator, _: Sequence[int]) -> str:
    """Take a word of a line away, or a letter of its only word, and one from the number before that counts them."""
    lines = [line.split() for line in text.split("\n")]
    places = [
        (number, place)
        for number, place, what in sorted(_counts_in(text))
        if (what == "words" and len(lines[number + 1]) > 1) or (what == "letters" and len(lines[number + 1][0]) > 1)
    ]
    if not places:
        return text
    number, place = places[generator.integers(len(places))]
    counted = lines[number + 1]
    lines[number][place] = str(int(lines[number][place]) - 1)
    cut = generator.integers(int(lines[number][place]) + 1)
    lines[number + 1] = (
        [counted[0][:cut] + counted[0][cut + 1 :]] if len(counted) == 1 else counted[:cut] + counted[cut + 1 :]
    )
    return "\n".join(map(" ".join, lines))


_KINDS: tuple[Kind, ...] = (_step_number, _step_number, _bound_number, _swap_words, _change_letter, _shorten)
