"""Running checkers: whether an output is right where it does not equal the expected one, and which inputs are valid.

>>> with Checkers() as checkers, checkers.open(problem.checker) as session:
...     session.ask("3\\n", "1 2", "0 3").word
<Word.RIGHT: 'right'>

Checkers have an executor of their own, in which no program of a model ever runs: they hold expected outputs. Each
output is checked in a process of its own, which has no folder to write in, and its answer comes on the judge's channel
with the token of that call. The output is hostile to the checker as the program is to the machine.
"""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from turnwise.benchmarks import values
from turnwise.benchmarks.checkers.checker_sets import CASES, VALIDITY, VERDICT
from turnwise.errors import InfrastructureError
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.records.problem import Checker, Limits, TestCase
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import PYTHON, Closable, Ending, Execution, Program, Session
from turnwise.texts import printable

CHECKER_LIMITS = Limits(time_limit_seconds=10.0, memory_limit_bytes=2 * 2**30, output_limit_bytes=2**20)
CASES_LIMITS = replace(CHECKER_LIMITS, output_limit_bytes=2**23)
_MACHINE_ENDINGS = (Ending.STARVED, Ending.INFRASTRUCTURE)
_LONGEST_REASON = 200


class Word(StrEnum):
    """All that a checker can say."""

    RIGHT = "right"
    WRONG = "wrong"
    INVALID_INPUT = "invalid input"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a checker said of an output, and why; None where it gave no answer, ``is_spoiled`` where the machine failed.

    The reason of no answer is how the checker ended.
    """

    word: Word | None
    reason: str = ""
    is_spoiled: bool = False


@dataclass(frozen=True, slots=True)
class Validity:
    """The constraint of the statement that an input breaks, "" for none, and None where there is no answer.

    The reason of no answer is how the validator ended; ``is_spoiled`` says that the machine failed.
    """

    constraint: str | None
    reason: str = ""
    is_spoiled: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A small input of a brute force, its expected output, and outputs with whether each of them is right."""

    text: str
    expected: str
    outputs: Mapping[str, bool]


class NoCasesError(ValueError):
    """A brute force made no cases; the text says how it ended, ``is_spoiled`` that the machine failed."""

    def __init__(self, reason: str, *, is_spoiled: bool = False) -> None:
        self.is_spoiled = is_spoiled
        super().__init__(reason)


class Checkers(Closable):
    """Opens checkers in an executor of their own, which starts when it is first needed.

    They run in the Python that judges, whichever the programs have.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: HardenedExecutor | None = None

    def open(self, checker: Checker, *, is_fresh: bool = True) -> "CheckerSession":
        """Return a session of ``checker``; whoever opens it closes it.

        Unless it ``is_fresh``, one process is asked about all outputs, as long as it answers: for validating.
        """
        program = Program(checker.source.encode(), VERDICT, is_fresh=is_fresh)
        return CheckerSession(self.executor.open(program, checker.language, CHECKER_LIMITS))

    def validity(self, checker: Checker, inputs: Sequence[str]) -> list[Validity]:
        """Return what each input breaks of its statement; a run that the machine spoils is repeated."""
        program = Program(checker.source.encode(), VALIDITY)
        found: list[Validity] = []
        with self.executor.open(program, checker.language, CHECKER_LIMITS) as session:
            for text in inputs:
                execution = _run(session, [text])
                said = _value(execution)
                if isinstance(said, str):
                    found.append(Validity(said[:_LONGEST_REASON]))
                else:
                    found.append(Validity(None, _end_of(execution), _is_spoiled(execution)))
        return found

    def cases(self, text: str, language: str = PYTHON) -> tuple[Case, ...]:
        """Return the cases that the ``text`` of a brute force makes; raises NoCasesError if it makes none."""
        with self.executor.open(Program(text.encode(), CASES), language, CASES_LIMITS) as session:
            execution = _run(session, [])
        if _is_spoiled(execution):
            raise NoCasesError(execution.error or execution.hampered, is_spoiled=True)
        if execution.ending is not Ending.FINISHED:
            raise NoCasesError(_end_of(execution))
        made = _value(execution)
        if not isinstance(made, list) or not made:
            raise NoCasesError("cases() returns no list of cases")
        return tuple(map(_case_of, made))

    @property
    def executor(self) -> HardenedExecutor:
        """The executor, which is started by the first who asks."""
        with self._lock:
            if self._executor is None:
                self._executor = HardenedExecutor()
            return self._executor

    def close(self) -> None:
        """End the executor."""
        with self._lock:
            if self._executor is not None:
                self._executor.close()
                self._executor = None


class CheckerSession(Closable):
    """One checker, ready to be asked; each output has a fresh process."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, text: str, output: str, expected: str) -> Answer:
        """Return what the checker says of ``output``, which answers ``text``; a run the machine spoils is repeated."""
        execution = _run(self._session, [text, output, expected])
        said = _value(execution)
        if isinstance(said, list) and len(said) == 2 and all(isinstance(part, str) for part in said):
            word, reason = said
            if word in tuple(Word):
                return Answer(Word(word), reason[:_LONGEST_REASON])
        if _is_spoiled(execution):
            return Answer(None, execution.error or execution.hampered, is_spoiled=True)
        return Answer(None, _end_of(execution))

    def close(self) -> None:
        """End what still runs."""
        self._session.close()


def text_of(output: bytes) -> str:
    """Return an output as a checker reads it; what is no UTF-8 is kept, and is no digit, letter or space."""
    return output.decode("utf-8", "surrogateescape")


def constraints_broken(checker: Checker, tests: Sequence[TestCase], checkers: Checkers, folder: Path) -> list[str]:
    """Return the constraint that the input of each test breaks, "" where it breaks none, or nobody can say.

    What was found once is kept below ``folder``. Raises InfrastructureError where the machine fails: another time other
    tests would be left out.
    """
    digest = hashlib.sha256(checker.sha256.encode())
    for test in tests:
        digest.update(hashlib.sha256(test.input.encode("utf-8", "surrogatepass")).digest())
    path = folder / f"{digest.hexdigest()}.json"
    try:
        known = json.loads(path.read_bytes())
        if isinstance(known, list) and len(known) == len(tests) and all(isinstance(one, str) for one in known):
            return known
    except (OSError, ValueError, RecursionError):
        pass
    found = checkers.validity(checker, [test.input for test in tests])
    if spoiled := next((one for one in found if one.constraint is None and one.is_spoiled), None):
        raise InfrastructureError(
            f"The machine failed while {checker.origin} told valid tests ({printable(spoiled.reason, limit=200)}): "
            "try again."
        )
    broken = [one.constraint or "" for one in found]
    if all(one.constraint is not None for one in found):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json_text(broken))
    return broken


def _run(session: Session, arguments: list[object]) -> Execution:
    """Return how a call ended; one that the machine spoils is repeated once."""
    data = values.dumps(arguments).encode("ascii")
    execution = next(iter(session.run([data])))
    return next(iter(session.run([data]))) if execution.ending in _MACHINE_ENDINGS else execution


def _is_spoiled(execution: Execution) -> bool:
    return execution.ending in _MACHINE_ENDINGS or bool(execution.hampered)


def _end_of(execution: Execution) -> str:
    """Return how a call ended that gave no answer: its last words, else the ending."""
    last = execution.error.strip().splitlines()[-1:] or [execution.ending.value]
    return last[0][:_LONGEST_REASON]


def _case_of(made: object) -> Case:
    if isinstance(made, tuple | list) and len(made) == 3:
        text, expected, outputs = made
        are_texts = isinstance(text, str) and isinstance(expected, str) and isinstance(outputs, dict)
        if are_texts and all(isinstance(one, str) and isinstance(right, bool) for one, right in outputs.items()):
            return Case(text, expected, outputs)
    raise NoCasesError("a case of cases() is no (input, expected output, {output: whether it is right})")


def _value(execution: Execution) -> object:
    """Return the value that a call returned, read as data; None if it returned none."""
    if execution.ending is not Ending.FINISHED:
        return None
    try:
        return values.loads(execution.output.decode("ascii"))
    except (ValueError, RecursionError):
        return None
