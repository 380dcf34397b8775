"""Problems that are also in a test set: by their words, and by solutions that solve the other.

The statements below are ours; the real ones are people's, in the folders of full data.
"""

import resource
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.codec import to_json
from turnwise.records.contamination import Contamination, ContaminationSettings, Reason
from turnwise.records.problem import Flag, Limits, Problem, TestCase
from turnwise.runners.execution.interface import Ending, Execution, Executor, Program
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.loading import Machine
from turnwise.training.contamination.search import find_contamination
from turnwise.training.contamination.statements import Statements, near_statements, shared_words, words_of

SHELF = (
    "Marta keeps jars of honey on a long shelf. Every morning she moves the heaviest jar to the left end and every"
    " evening her brother swaps the two lightest jars while nobody is watching them. Find how many days pass before the"
    " shelf looks as it did at the start, or say that this never happens."
)
FERRY = (
    "A ferry carries bicycles over the river. Each rider pays by the weight of the bicycle, and the ferryman sorts the"
    " riders so that the deck stays level during the whole crossing. Compute the smallest number of crossings after"
    " which all riders stand on the other bank of the river."
)
FORMS = (
    "\n\n-----Input-----\nThe first line contains a single integer t (1 ≤ t ≤ 10^4) — the number of test cases. The"
    " first line of each test case contains a single integer n (1 ≤ n ≤ 2 * 10^5). The second line contains n integers"
    " a_1, a_2, ..., a_n. It is guaranteed that the sum of n over all test cases does not exceed 2 * 10^5."
    "\n\n-----Output-----\nFor each test case, print a single integer — the answer to the problem.\n\nExample\n"
    "1 2 3 4 5 6 7 8 9 10"
)
BY_TEXT = ContaminationSettings(solutions=False)
SUM = "print(sum(map(int, input().split())))\n"
PRODUCT = "a, b = map(int, input().split())\nprint(a * b)\n"


def _problem(name: str, statement: str, *, output: str = "5\n", solutions: tuple[str, ...] = ()) -> Problem:
    tests = (TestCase("2 3\n", output),), (TestCase("4 4\n", {"5\n": "8\n", "6\n": "16\n"}[output]),)
    return Problem(f"toy/{name}", "toy", "test", statement, *tests, solutions=solutions)


def _mixed(first: str, second: str, share: float) -> str:
    """The beginning of one text, then of another; ``share`` of the first one's words."""
    words = first.split()
    return " ".join([*words[: round(share * len(words))], *second.split()])


def _find(problems: list[Problem], others: list[Problem], settings: ContaminationSettings = BY_TEXT) -> Contamination:
    return find_contamination(problems, {"toy": others}, settings, None)


def _pairs(problems: list[str], others: list[str], least: float = 0.5) -> list[tuple[int, int]]:
    found = near_statements(Statements(problems), Statements(others), least=least)
    return [(pair.problem, pair.other) for pair in found]


def test_copies_are_found_whatever_markup_stands_around_them() -> None:
    """Case, TeX, HTML, images, links, white space and punctuation change nothing."""
    marked = (
        "<image> <p>MARTA keeps $\\textbf{jars}$ of honey&nbsp;on a <b>long</b> shelf. ![a](http://x.y/z.png) Every"
        " morning,\nshe moves the heaviest jar to the left end; and every evening her brother swaps the two lightest"
        " jars!</p> https://example.org/a?b=c"
    )
    (pair,) = near_statements(Statements([FERRY, SHELF]), Statements([marked]), least=0.5)
    assert (pair.problem, pair.other, pair.containment) == (1, 0, 1.0)
    assert shared_words(SHELF, marked).startswith("marta keeps jars of honey on a long shelf every morning")


def test_shorter_statement_in_a_longer_one_is_found() -> None:
    """Containment is of the shorter one: a story put around a problem does not hide it."""
    assert _pairs([SHELF], [FERRY + FORMS + SHELF + FERRY.upper().replace("THE", "A")]) == [(0, 0)]


def test_forms_of_input_and_output_make_no_pair() -> None:
    """Two problems that share how they say their input, their output and numbers are not alike at all."""
    assert _pairs([SHELF + FORMS], [FERRY + FORMS], 0.01) == []


def test_text_that_many_statements_share_makes_no_pair() -> None:
    """A data set's own notice does not count, where each statement is short besides."""
    notice = " Please read the notice of our kind sponsors and send your parcels before Tuesday noon to the harbour."
    words = [f"w{chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(200)]
    statements = [f"Count {' '.join(words[8 * at : 8 * at + 8])} for Marta." + notice for at in range(25)]
    assert _pairs(statements[:12], statements[12:], 0.01) == []
    assert _pairs(statements[:12], [*statements[12:], statements[3]]) == [(3, 13)]
    assert _pairs(statements[:1], statements[1:2]) == [(0, 0)]  # of two nobody knows that it is a notice


@pytest.mark.parametrize(
    ("a", "b", "is_one"),
    [
        ("Sort the jars.", "sort THE jars", True),
        ("Sort the jars.", "Sort the lids.", False),
        ("Sort the jars.", "Sort the jars by weight.", False),
        ("Sort the jars.", SHELF + " Sort the jars.", False),
        ("Write a python function to find the sum.", "Write a python function to find the sum of the list.", False),
        ("Write a function to return the sum of a and b.", "Write a function to return the sum of a and b.", True),
        ("", "", False),
        ("<image>", "$$", False),
        ("蜜の瓶を棚に並べて重い順に数える", "蜜の瓶を棚に並べて重い順に数える", True),
        ("Ελένη βάζει το μέλι στο ράφι και περιμένει πολύ", "Νίκος πίνει τσάι δίπλα στο ποτάμι κάθε πρωί", False),
    ],
)
def test_short_statements_are_one_problem_only_if_equal(a: str, b: str, is_one: bool) -> None:
    """Of fewer than 8 words, or of nothing but forms; a missing text equals none."""
    assert _pairs([a], [b]) == ([(0, 0)] if is_one else [])


def test_words_of_a_statement() -> None:
    """TeX's commands and markup are none; other alphabets have words."""
    assert words_of("Let $a_{1} \\leq \\frac{n}{2}$, <b>Ёж</b> &lt;3") == ["let", "a", "1", "n", "2", "ёж", "3"]
    assert words_of("1<=i<n, j>0<br/>and<p class='x'>k</p>") == ["1", "i", "n", "j", "0", "and", "k"]


@pytest.mark.parametrize(("share", "reason"), [(0.8, Reason.STATEMENT), (0.45, Reason.NEAR)])
def test_threshold_parts_contaminated_from_near(share: float, reason: Reason) -> None:
    """From 0.5 on one problem, from 0.2 on near; what is near is recorded, and drops nothing."""
    found = _find([_problem("a", _mixed(SHELF, FERRY, share))], [_problem("b", SHELF)])
    (pair,) = found.pairs
    assert (pair.problem, pair.other, pair.task, pair.reason) == ("toy/a", "toy/b", "toy", reason)
    assert 0.2 <= pair.containment < share
    assert list(found.problems) == (["toy/a"] if reason is Reason.STATEMENT else [])


def test_pairs_and_problems_have_one_order() -> None:
    """Pairs by test set and likeness, problems as they were given; the same twice."""
    problems = [_problem("c", SHELF), _problem("a", FERRY), _problem("b", _mixed(SHELF, FERRY, 0.7))]
    sets = {"z": [_problem("1", FERRY), _problem("2", SHELF)], "y": [_problem("3", SHELF + " " + FERRY)]}
    found = [find_contamination(problems, sets, BY_TEXT, None) for _ in range(2)]
    assert to_json(found[0]) == to_json(found[1])
    assert [(pair.task, pair.problem, pair.other) for pair in found[0].pairs if pair.containment == 1] == [
        ("z", "toy/a", "toy/1"),
        ("z", "toy/b", "toy/1"),
        ("z", "toy/c", "toy/2"),
        ("y", "toy/a", "toy/3"),
        ("y", "toy/c", "toy/3"),
    ]
    assert list(found[0].problems) == ["toy/c", "toy/a", "toy/b"]
    assert found[0].problems["toy/c"] == (
        "its statement shares 100 % of the word 8-grams of the shorter with toy/2 (z)"
    )
    assert (found[0].compared, found[0].against) == (3, {"z": 2, "y": 1})


@pytest.mark.parametrize("containment", [0, -1, 1.01, float("nan")])
def test_containment_out_of_bounds_is_refused(containment: float) -> None:
    """With the value and the remedy."""
    with pytest.raises(TurnwiseError, match=r"--containment is .*: give a share above 0, up to 1"):
        _find([], [], ContaminationSettings(containment, solutions=False))


def test_embedding_needs_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence that names the extra."""
    for name in ("torch", "transformers"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"--embed needs the package transformers: .*turnwise\[train\]"):
        _find([], [], ContaminationSettings(embed="some/model", solutions=False))


# Solutions across.


class _Failing:
    """An executor on which every run is the machine's failure."""

    name, tier, interpreter = "failing 1", "none", "none"

    def open(self, program: Program, language: str, limits: Limits) -> "_Failing":
        return self

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for _ in inputs:
            yield Execution(Ending.INFRASTRUCTURE)

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _crossed(problem: Problem, other: Problem, executor: Executor, folder: Path) -> Contamination:
    with Checkers() as checkers:
        machine = Machine(executor, folder, checkers=checkers)
        return find_contamination([problem], {"toy": [other]}, ContaminationSettings(), machine)


NEAR = _mixed(SHELF, FERRY, 0.45)


@pytest.mark.parametrize("solver", ["ours", "theirs"])
def test_near_problems_that_solutions_cross_are_one(executor: Executor, tmp_path: Path, solver: str) -> None:
    """A solution of either that passes the tests of the other says so; the reason names both."""
    ours = _problem("a", NEAR, solutions=(SUM,) if solver == "ours" else ())
    theirs = _problem("b", SHELF, solutions=("import nothing_there", SUM) if solver == "theirs" else ())
    found = _crossed(ours, theirs, executor, tmp_path)
    (pair,) = found.pairs
    names = ("toy/a", "toy/b") if solver == "ours" else ("toy/b", "toy/a")
    assert (pair.reason, pair.note) == (Reason.SOLUTIONS, f"a solution of {names[0]} solves {names[1]}")
    assert found.problems == {"toy/a": f"its statement is near that of toy/b (toy), and {pair.note}"}


def test_near_problems_that_solutions_do_not_cross_are_two(executor: Executor, tmp_path: Path) -> None:
    """Both ways were tried, and nothing is dropped."""
    ours = _problem("a", NEAR, output="6\n", solutions=(PRODUCT,))
    found = _crossed(ours, _problem("b", SHELF, solutions=(SUM,)), executor, tmp_path)
    (pair,) = found.pairs
    assert (pair.reason, pair.note) == (Reason.NEAR, "2 solutions fail on the tests of the other")
    assert not found.problems


def test_functions_cross_under_the_name_that_is_called(executor: Executor, tmp_path: Path) -> None:
    """Two data sets call one function by two names."""
    tests = (TestCase("[1, 2]", "3"),), (TestCase("[2, 2]", "4"),)
    add = Problem("toy/a", "toy", "test", NEAR, *tests, entry_point="add", solutions=("def add(a, b):\n return a + b",))
    total = replace(add, id="toy/b", statement=SHELF, entry_point="total", solutions=())
    (pair,) = _crossed(add, total, executor, tmp_path).pairs
    assert pair.reason is Reason.SOLUTIONS, pair


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"entry_point": "f"}, "a function and a program that reads stdin cannot be run on each other's tests"),
        ({"solutions": ()}, "neither has a solution that the tests of the other could judge"),
        ({"hidden_tests": (), "flags": (Flag.NO_HIDDEN_TESTS,)}, "1 solution fails on the tests of the other"),
    ],
)
def test_what_cannot_be_crossed_is_said(
    executor: Executor, tmp_path: Path, change: dict[str, object], note: str
) -> None:
    """And is no contamination; what has no hidden test judges nothing."""
    ours = _problem("a", NEAR, output="6\n", solutions=())
    theirs = replace(_problem("b", SHELF, solutions=(SUM,)), **change)  # type: ignore[arg-type]  # fields by name
    found = _crossed(ours, theirs, executor, tmp_path)
    assert [(pair.reason, pair.note) for pair in found.pairs] == [(Reason.NEAR, note)]
    assert not found.problems


def test_failure_of_the_machine_is_no_answer(tmp_path: Path) -> None:
    """It is said, and counts neither as solved nor as failed."""
    found = _crossed(_problem("a", NEAR, solutions=(SUM,)), _problem("b", SHELF), _Failing(), tmp_path)
    assert [(pair.reason, pair.note) for pair in found.pairs] == [
        (Reason.NEAR, "the machine failed to judge 1 solution")
    ]


def test_no_hidden_test_is_recorded(executor: Executor, tmp_path: Path) -> None:
    """The record holds words of statements, and nothing of what the solutions were run on."""
    ours = replace(_problem("a", NEAR, solutions=(SUM,)), hidden_tests=(TestCase("987654 1\n", "987655\n"),))
    theirs = replace(_problem("b", SHELF, solutions=(SUM,)), hidden_tests=(TestCase("123456 1\n", "123457\n"),))
    text = str(to_json(_crossed(ours, theirs, executor, tmp_path)))
    assert "solves" in text
    assert not any(secret in text for secret in ("98765", "12345"))


# Real statements.


@pytest.mark.data
def test_known_pairs_of_real_problems_are_found_and_no_other(data_dir: Path) -> None:
    """49 pairs of train problems and TACO's, of 0.69 and more; the others reach 0.3: the threshold is not delicate."""
    train = load_problems("codecontests", split="train", data_dir=data_dir).problems
    taco = load_problems("taco", data_dir=data_dir).problems
    found = find_contamination(train, {"taco": taco}, BY_TEXT, None)
    pairs = [pair for pair in found.pairs if pair.reason is Reason.STATEMENT]
    assert (len(pairs), len(found.problems)) == (49, 46)
    assert min(pair.containment for pair in pairs) > 0.67
    assert max((pair.containment for pair in found.pairs if pair.reason is Reason.NEAR), default=0) < 0.32
    tests = load_problems("codecontests", data_dir=data_dir).problems
    assert len(find_contamination(tests, {"taco": taco}, BY_TEXT, None).problems) == 7


@pytest.mark.data
@pytest.mark.long
def test_full_test_sets_against_each_other(full_dir: Path) -> None:
    """CodeContests shares 13 problems with TACO; HumanEval+ and MBPP+ share no statement with any."""
    names = ("codecontests", "taco", "humaneval_plus", "mbpp_plus")
    sets = {name: load_problems(name, data_dir=full_dir).problems for name in names}
    counts = {}
    for number, name in enumerate(names):
        others = {other: sets[other] for other in names[number + 1 :]}
        found = find_contamination(sets[name], others, BY_TEXT, None)
        for other in others:
            counts[name, other] = sum(pair.reason is Reason.STATEMENT for pair in found.pairs if pair.task == other)
    assert counts.pop(("codecontests", "taco")) == 13
    assert set(counts.values()) == {0}


_LARGE = """
import random, resource, sys
from turnwise.training.contamination.statements import Statements, near_statements
draw = random.Random(0)
words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(1, 9))) for _ in range(20_000)]
texts = [" ".join(draw.choices(words, k=draw.randrange(200, 700))) for _ in range(13_328)]
ours, found = Statements(texts), 0
for size in (165, 1000, 164, 378):
    copies = [" ".join(text.split()[:150]) + " " + " ".join(draw.choices(words, k=200)) for text in texts[:size]]
    found += len(near_statements(ours, Statements(copies), least=0.2))
print(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.long
def test_all_train_problems_against_all_test_sets() -> None:
    """13,328 statements against 1,707 in a minute of CPU, after which the kernel would end it, and less than 1 GiB."""
    limit = partial(resource.setrlimit, resource.RLIMIT_CPU, (60, 60))
    done = subprocess.run([sys.executable, "-c", _LARGE], capture_output=True, text=True, preexec_fn=limit, check=True)
    found, kibibytes = map(int, done.stdout.split())
    assert found >= 1707
    assert kibibytes < 2**20
