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
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from turnwise.benchmarks import values
from turnwise.benchmarks.checkers.checker_sets import VALIDITY, VERDICT
from turnwise.files import write_atomically
from turnwise.json_text import json_text
from turnwise.records.problem import Checker, Limits, TestCase
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Closable, Ending, Execution, Program, Session

CHECKER_LIMITS = Limits(time_limit_seconds=10.0, memory_limit_bytes=2 * 2**30, output_limit_bytes=2**20)
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


class Checkers(Closable):
    """Opens checkers in an executor of their own, which starts when it is first needed.

    They run in the Python that judges, whichever the programs have.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: HardenedExecutor | None = None

    def open(self, checker: Checker) -> "CheckerSession":
        """Return a session of ``checker``; whoever opens it closes it."""
        program = Program(checker.source.encode(), VERDICT, is_fresh=True)
        return CheckerSession(self.executor.open(program, checker.language, CHECKER_LIMITS))

    def validity(self, checker: Checker, inputs: Sequence[str]) -> list[str | None]:
        """Return what each input breaks of its statement: "" for nothing, None where that could not be found out."""
        program = Program(checker.source.encode(), VALIDITY)
        found: list[str | None] = []
        with self.executor.open(program, checker.language, CHECKER_LIMITS) as session:
            for text in inputs:
                execution = _run(session, [text])
                said = _value(execution)
                found.append(said[:_LONGEST_REASON] if isinstance(said, str) else None)
        return found

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
        if execution.ending in _MACHINE_ENDINGS:
            execution = _run(self._session, [text, output, expected])
        if execution.ending in _MACHINE_ENDINGS or execution.hampered:
            return Answer(None, execution.error or execution.hampered, is_spoiled=True)
        said = _value(execution)
        if isinstance(said, list) and len(said) == 2 and all(isinstance(part, str) for part in said):
            word, reason = said
            if word in tuple(Word):
                return Answer(Word(word), reason[:_LONGEST_REASON])
        last = execution.error.strip().splitlines()[-1:] or [execution.ending.value]
        return Answer(None, last[0][:_LONGEST_REASON])

    def close(self) -> None:
        """End what still runs."""
        self._session.close()


def text_of(output: bytes) -> str:
    """Return an output as a checker reads it; what is no UTF-8 is kept, and is no digit, letter or space."""
    return output.decode("utf-8", "surrogateescape")


def constraints_broken(checker: Checker, tests: Sequence[TestCase], checkers: Checkers, folder: Path) -> list[str]:
    """Return the constraint that the input of each test breaks, "" where it breaks none, or nobody can say.

    What was found once is kept below ``folder``.
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
    broken = [reason or "" for reason in found]
    if None not in found:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json_text(broken))
    return broken


def _run(session: Session, arguments: list[object]) -> Execution:
    return next(iter(session.run([values.dumps(arguments).encode("ascii")])))


def _value(execution: Execution) -> object:
    """Return the value that a call returned, read as data; None if it returned none."""
    if execution.ending is not Ending.FINISHED:
        return None
    try:
        return values.loads(execution.output.decode("ascii"))
    except (ValueError, RecursionError):
        return None
