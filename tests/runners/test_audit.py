"""The audit of a judge on three problems, counted by hand: labels, mutants, disagreements, what is missing."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from turnwise.benchmarks.checkers.checker_sets import Validation, Validations, digest_of, reading_text
from turnwise.errors import TurnwiseError
from turnwise.records.audit import Audit, Rate, Truth, Unit, read_audit, write_audit
from turnwise.records.codec import to_json
from turnwise.records.problem import Limits
from turnwise.records.settings import JudgeSettings
from turnwise.runners.audit import AuditPlan, audit_task
from turnwise.runners.disagreements import INPUTS, changed_inputs
from turnwise.runners.execution.interface import Ending, Execution, Executor, Program, Session
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.loading import Machine
from turnwise.runners.mutants import mutants_of
from turnwise.tasks.catalog import TASKS

TASK = TASKS["codecontests_singleturn"]
RIGHT, WRONG, PROGRAMS, OUTPUTS = Truth.RIGHT, Truth.WRONG, Unit.PROGRAMS, Unit.OUTPUTS
SOLUTIONS, INCORRECT = "solutions of the data set", "incorrect solutions of the data set"
REFUSED, MUTANTS = "refused by equality and a checker", "mutants, without the test that shows them wrong"

SUM = "import sys\nprint(sum(map(int, sys.stdin.read().split()[1:])))\n"
LARGEST = "import sys\nprint(max(map(int, sys.stdin.read().split()[1:]), default=0))\n"
SUM_OF_SIZES = "import sys\nprint(sum(abs(int(word)) for word in sys.stdin.read().split()[1:]))\n"
PAIR = "n = int(input())\nprint(0, n)\n"
OTHER_PAIR = "n = int(input())\nprint(1, n - 1)\n"
LAST_PAIR = "print(input(), 0)\n"
PAIR_OF_MORE = "n = int(input())\nprint(0, n + 1)\n"
NEGATIVE_PAIR = "n = int(input())\nprint(-1, n + 1)\n"
SIGN = 'n = int(input())\nprint("YES" if n > 0 else "NO")\n'

SUM_CHECKER = '''"""The numbers."""
from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integers(reader.integer(1, 5, "n"), -9, 9, "a")
    reader.end()
'''
PAIR_CHECKER = '''"""Two numbers that are not negative and have the sum."""
from turnwise.benchmarks.checkers.reading import Invalid, Reader, Wrong


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(1, 100, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    n = int(text)
    reader = Reader(output)
    if sum(reader.integers(2, 0, 100, "a")) != n:
        raise Wrong("the sum is another")
    reader.end()
'''


def _tests(*pairs: tuple[str, str]) -> dict[str, list[str]]:
    return {"input": [text for text, _ in pairs], "output": [text for _, text in pairs]}


def _programs(*programs: str) -> dict[str, list[object]]:
    return {"language": [3] * len(programs), "solution": list(programs)}


# The generated test of the first one breaks its statement, and its output is nobody's.
ROWS = [
    {
        "name": "9001_A. Sum",
        "description": "Print the sum of n numbers.",
        "public_tests": _tests(("2\n1 2\n", "3\n")),
        "private_tests": _tests(("3\n1 2 3\n", "6\n")),
        "generated_tests": _tests(("0\n", "9\n"), ("1\n4\n", "4\n")),
        "solutions": _programs(SUM),
        "incorrect_solutions": _programs(LARGEST, SUM_OF_SIZES),
    },
    {
        "name": "9002_A. Pair",
        "description": "If there are multiple answers, print any of them.",
        "public_tests": _tests(("3\n", "0 3\n")),
        "private_tests": _tests(("5\n", "0 5\n"), ("1\n", "0 1\n")),
        "solutions": _programs(PAIR, OTHER_PAIR),
        "incorrect_solutions": _programs(PAIR_OF_MORE),
    },
    {
        "name": "9003_A. Sign",
        "description": "Is it above zero?",
        "public_tests": _tests(("5\n", "YES\n")),
        "private_tests": _tests(("0\n", "NO\n"), ("-3\n", "NO\n")),
        "solutions": _programs(SIGN),
    },
]
LABELS = [
    {"problem": "9001_A. Sum", "program": SUM + "# mine\n", "verdict": "right", "source": "humans"},
    {"problem": "codecontests/9001_A. Sum", "code": "print(0)\n", "right": False, "source": "models"},
    {"problem": "9002_A. Pair", "solution": NEGATIVE_PAIR, "verdict": "unknown"},
    {"problem": "9002_A. Pair", "program": LAST_PAIR},
]
ANSWERS = [
    {"problem": "9002_A. Pair", "program": "p1", "group": "public_tests", "index": 0, "output": "2 1\n"},
    {"problem": "9002_A. Pair", "program": "p1", "group": "private_tests", "index": 0, "output": "4 1\n"},
    {"problem": "9002_A. Pair", "program": "p2", "group": "private_tests", "index": 1, "output": "0 1\n"},
    {"problem": "9001_A. Sum", "program": "p3", "group": "generated_tests", "index": 0, "output": "0\n"},
    {"problem": "9001_A. Sum", "program": "p3", "group": "generated_tests", "index": 2, "output": "0\n"},
]


@pytest.fixture(scope="module")
def checkers() -> Iterator[Checkers]:
    """What runs the checkers of all tests here."""
    with Checkers() as running:
        yield running


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a set of two checkers, validated by hand."""
    folder = tmp_path_factory.mktemp("checkers")
    files = {"9001_A. Sum": ("p9001_a.py", SUM_CHECKER), "9002_A. Pair": ("p9002_a.py", PAIR_CHECKER)}
    (folder / "codecontests").mkdir()
    for name, text in files.values():
        (folder / "codecontests" / name).write_text(text)
    validations = tuple(
        Validation(f"codecontests/{problem}", f"codecontests/{name}", digest_of(text))
        for problem, (name, text) in files.items()
    )
    results = Validations("toy", digest_of(reading_text()), validations)
    (folder / "set.json").write_text(json.dumps(to_json(results)))
    return str(folder)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, executor: Executor, checkers: Checkers) -> Machine:
    """A machine with the three problems as its data."""
    folder = tmp_path_factory.mktemp("data")
    _write(folder / "codecontests" / "test.jsonl", ROWS)
    return Machine(executor, tmp_path_factory.mktemp("cache"), folder, {}, 2, checkers=checkers)


def _write(path: Path, rows: Iterable[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _rates(audit: Audit) -> set[tuple[object, ...]]:
    return {(rate.source, rate.truth, rate.unit, rate.accepted, rate.refused, rate.missing) for rate in audit.rates}


def test_a_judge_with_checkers_and_valid_tests(machine: Machine, answers: str, tmp_path: Path) -> None:
    """Each source has its own counts, and one of unknown truth is wrong where a checker refuses it."""
    plan = AuditPlan(labels=_write(tmp_path / "labels.jsonl", [*LABELS, *ANSWERS]), mutants=100)
    audit = audit_task(TASK, machine, JudgeSettings(answers=answers), plan)
    assert _rates(audit) == {
        (SOLUTIONS, RIGHT, PROGRAMS, 4, 0, 0),
        (INCORRECT, WRONG, PROGRAMS, 1, 2, 0),  # no valid test has a negative number
        ("humans", RIGHT, PROGRAMS, 1, 0, 0),
        ("models", WRONG, PROGRAMS, 0, 1, 0),
        (REFUSED, WRONG, PROGRAMS, 0, 1, 0),
        ("right outputs", RIGHT, OUTPUTS, 3, 0, 0),  # the one on the invalid test is not in use
        ("right outputs", RIGHT, PROGRAMS, 2, 0, 0),
        (MUTANTS, WRONG, PROGRAMS, 2, 5, 0),
    }
    assert (audit.unknown, audit.left_out, audit.mutants) == (1, 1, 8)
    assert [(problem.problem, *problem.faults) for problem in audit.by_problem] == [
        ("codecontests/9001_A. Sum", 1, 0),
        ("codecontests/9003_A. Sign", 0, 2),  # n >= 0 and n > -1 fail on 0 alone
    ]
    assert (audit.judge.answers, audit.judge.tests, audit.disagreements) == ("toy", "valid", None)


def test_a_judge_by_equality_and_all_tests(machine: Machine, tmp_path: Path) -> None:
    """Refuses right programs by other answers and an invalid test, and says at which test and how."""
    plan = AuditPlan(labels=_write(tmp_path / "labels.jsonl", [*LABELS[:2], *ANSWERS]), mutants=0)
    audit = audit_task(TASK, machine, JudgeSettings(answers="equality", tests="all"), plan)
    assert _rates(audit) == {
        (SOLUTIONS, RIGHT, PROGRAMS, 2, 2, 0),
        (INCORRECT, WRONG, PROGRAMS, 0, 3, 0),
        ("humans", RIGHT, PROGRAMS, 0, 1, 0),
        ("models", WRONG, PROGRAMS, 0, 1, 0),
        ("right outputs", RIGHT, OUTPUTS, 1, 3, 0),
        ("right outputs", RIGHT, PROGRAMS, 1, 2, 0),
    }
    first, second = audit.by_problem
    assert (first.problem, first.right, first.refused, first.wrong) == ("codecontests/9001_A. Sum", 3, 3, 3)
    assert {(program.test, program.verdict) for program in first.misjudged} == {("generated_tests 0", "wrong_answer")}
    assert (second.problem, second.right, second.refused) == ("codecontests/9002_A. Pair", 4, 2)
    assert [(program.source, program.test) for program in second.misjudged] == [
        (SOLUTIONS, "public_tests 0"),
        ("right outputs", "public_tests 0"),
    ]


def test_mutants_are_shown_wrong_by_the_best_that_is_known(machine: Machine) -> None:
    """Not by the judge under audit; where several answers are right and no checker knows them, there are none."""
    audit = audit_task(TASK, machine, JudgeSettings(answers="equality", tests="all"), AuditPlan(mutants=100))
    assert audit.mutants == 6  # of Sum and Sign
    assert (MUTANTS, WRONG, PROGRAMS, 2, 3, 0) in _rates(audit)


def test_a_right_program_that_is_refused_on_a_public_test_has_the_checkers_note(
    machine: Machine, answers: str, tmp_path: Path
) -> None:
    """Of hidden tests nothing is said but the verdict."""
    rows = [
        {"problem": "9002_A. Pair", "program": PAIR_OF_MORE, "right": True},
        {"problem": "9002_A. Pair", "program": "n = int(input())\nprint(0, 3)\n", "right": True},
    ]
    plan = AuditPlan(labels=_write(tmp_path / "labels.jsonl", rows), mutants=0)
    audit = audit_task(TASK, machine, JudgeSettings(answers=answers), plan)
    (pair,) = (problem for problem in audit.by_problem if "Pair" in problem.problem)
    assert [(program.test, program.note) for program in pair.misjudged] == [
        ("public_tests 0", "the sum is another"),
        ("private_tests 0", ""),
    ]


def test_disagreements_find_a_wrong_program_that_every_test_accepts(machine: Machine, answers: str) -> None:
    """Two programs pass and differ on negative numbers, which no test has: one of them is wrong."""
    audit = audit_task(TASK, machine, JudgeSettings(answers=answers), AuditPlan(mutants=0, disagreements=True))
    disagreements = audit.disagreements
    assert disagreements is not None
    assert (disagreements.problems, disagreements.without_validator, disagreements.few_programs) == (
        2,
        1,
        0,
    )  # Pair's two are both right
    assert disagreements.programs == 4 and disagreements.wrong == 1 and 2 < disagreements.inputs <= 2 * INPUTS
    (example,) = disagreements.examples
    assert example.problem == "codecontests/9001_A. Sum" and "-" in example.input
    assert SOLUTIONS in example.first and INCORRECT in example.second
    assert example.first_output != example.second_output


def test_changed_inputs_keep_their_lines_and_what_counts_them() -> None:
    """A program that reads lines finds as many as before, and in each as many words as the line before says."""
    text = "2\n3 7 9\n5 6 4\n1 8 9\n5\n"
    inputs = changed_inputs([text], np.random.default_rng(0), 200)
    assert len(inputs) > 50 and text not in inputs
    for changed in inputs:
        _, *lines, last = changed.split("\n")
        assert (len(lines), last) == (4, "")
        for head, line in zip(lines[::2], lines[1::2], strict=True):
            assert len(line.split()) == int(head.split()[0])
    assert any(changed.split("\n")[1].startswith("2 ") for changed in inputs)
    assert changed_inputs(["5\nabcab\n"], np.random.default_rng(0), 200).count("4\nabca\n") == 1
    assert changed_inputs([text], np.random.default_rng(0), 200) == inputs


def test_where_a_checker_knows_the_wrong_program_it_is_named_alone(
    machine: Machine, answers: str, tmp_path: Path
) -> None:
    """A program that passes because no test has a large number, and fails on larger ones."""
    rows = [{"problem": "9002_A. Pair", "program": "n = int(input())\nprint(0, n if n < 6 else 0)\n"}]
    plan = AuditPlan(labels=_write(tmp_path / "labels.jsonl", [*rows, LABELS[0]]), mutants=0, disagreements=True)
    disagreements = audit_task(TASK, machine, JudgeSettings(answers=answers), plan).disagreements
    assert disagreements is not None and disagreements.wrong == 2
    (example,) = (example for example in disagreements.examples if "Pair" in example.problem)
    assert example.second == "" and "the sum is another" in example.reason and "(labels)" in example.first


class _SpoiledExecutor:
    """Runs programs as another does, but for those with the word ``spoiled``, on which the machine fails."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self.name, self.tier, self.interpreter = "spoiled 1", executor.tier, executor.interpreter

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        return _SpoiledSession() if b"spoiled" in program.source else self._executor.open(program, language, limits)

    def close(self) -> None: ...


@dataclass
class _SpoiledSession:
    """Every run ends by the machine's failure."""

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for _ in inputs:
            yield Execution(Ending.INFRASTRUCTURE)

    def close(self) -> None: ...

    def __enter__(self) -> "_SpoiledSession":
        return self

    def __exit__(self, *error: object) -> None: ...


def test_what_the_machine_failed_to_judge_is_missing(
    machine: Machine, executor: Executor, answers: str, tmp_path: Path
) -> None:
    """It is in no rate."""
    rows = [{"problem": "9001_A. Sum", "program": SUM + text, "right": True} for text in ("# spoiled\n", "# sound\n")]
    spoiled = Machine(
        _SpoiledExecutor(executor), tmp_path / "cache", machine.data_dir, {}, 1, checkers=machine.checkers
    )
    plan = AuditPlan(labels=_write(tmp_path / "labels.jsonl", rows), mutants=0)
    audit = audit_task(TASK, spoiled, JudgeSettings(answers=answers), plan)
    (rate,) = (rate for rate in audit.rates if rate.source == "labels")
    assert (rate.accepted, rate.refused, rate.missing, rate.rate) == (1, 0, 1, 1.0)


def test_mutants_are_small_and_always_the_same() -> None:
    """Comparisons, constants, arithmetic, ranges and conditions, one at a time; none of what is no Python."""
    source = "for i in range(3):\n    if i < 2 and i % 2 == 0:\n        print(i + 1)"
    mutants = mutants_of(source, 100)
    for part in ("i <= 2", "range(3 + 1)", "i + 2", "i - 1", "if i < 2:", "if True:", "i < 2 or", "i % 2 != 0"):
        assert any(part in text for text in mutants), part
    assert mutants_of(source, 3) == mutants[:3]
    assert mutants_of("print(", 5) == mutants_of("", 5) == []


def test_the_record_is_read_as_it_was_written(machine: Machine, answers: str, tmp_path: Path) -> None:
    """With its disagreements and problems; a file of something else is refused by its name."""
    plan = AuditPlan(mutants=5, disagreements=True)
    audit = audit_task(TASK, machine, JudgeSettings(answers=answers), plan)
    write_audit(tmp_path / "audit.json", audit)
    assert read_audit(tmp_path / "audit.json") == audit
    for change in ({"format": 2}, {"mutants": -1}, {"rates": 3}):
        (tmp_path / "other.json").write_text(json.dumps({**to_json(audit), **change}))
        with pytest.raises(TurnwiseError, match=r"other\.json' cannot be read .*: give a file that turnwise audit -o"):
            read_audit(tmp_path / "other.json")


def test_a_rate_of_nothing_is_no_rate() -> None:
    """Neither 0 nor 1."""
    assert Rate("s", RIGHT, PROGRAMS, 0, 0, 2).rate is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"problem": "9001_A. Sum", "program": SUM}, r"hold no verdict in 1 rows: give each program a 'verdict'"),
        (
            {"problem": "9001_A. Sum", "program": SUM, "verdict": "maybe"},
            r"row 1: The verdict is 'maybe'; give right, wrong or unknown\.",
        ),
        ({"problem": "9001_A. Sum", "program": SUM, "right": 1}, r"row 1: 'right' is 1; give true or false\."),
        (
            {"problem": "9001_A", "program": SUM, "right": True},
            r"row 1: No problem '9001_A' .* do you mean .*9001_A\. Sum",
        ),
        ({"program": SUM, "right": True}, r"row 1: A label lacks the field 'problem'"),
        ({"problem": "9001_A. Sum", "right": True}, r"row 1: A label lacks the field 'program'"),
        ({"problem": "9001_A. Sum", "program": SUM, "right": True, "source": 3}, r"row 1: 'source' is 3; give a text"),
        ({**ANSWERS[0], "group": "tests"}, r"row 1: field 'group' is str 'tests': input should be 'public_tests', "),
        ({**ANSWERS[0], "index": -1}, r"row 1: field 'index' is int -1: input should be greater than or equal to 0"),
        ({**ANSWERS[0], "verdict": "wrong"}, r"row 1: 'verdict' of an output is 'wrong'; outputs are right ones alone"),
    ],
)
def test_a_label_that_is_none_is_refused(machine: Machine, tmp_path: Path, row: object, said: str) -> None:
    """By file and row, with its value and the remedy."""
    plan = AuditPlan(labels=_write(tmp_path / "labels.jsonl", [row]), mutants=0)
    with pytest.raises(TurnwiseError, match=said):
        audit_task(TASK, machine, JudgeSettings(answers="equality", tests="all"), plan)
