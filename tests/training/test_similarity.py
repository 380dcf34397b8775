"""Near copies: what renaming leaves alike, how good the estimate is, and which programs are kept.

The programs of the test are made of parts, so that their likeness goes from none to all; the real ones are recorded
answers of models and people's solutions.
"""

import gzip
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from turnwise.errors import TurnwiseError
from turnwise.training.data.similarity import PERMUTATIONS, Keeper, Shingles, estimate, shingles, signature

PROGRAM = """\
import sys
def solve(values, limit):
    total = 0
    for value in values:
        if value % 3 == 1 and value < limit:
            total += value * 7
    return f"{total:>5} of {len(values)}"
print(solve([int(word) for word in sys.stdin.read().split()], 100))
"""
RENAMED = """\
import sys   # all of it
'''What this does:
value by value.'''
def f(a, b):
    # the sum
    c = 0
    for x in a:

        if x%3 == 1 and x < b:
            c += x \\
                * 7
    return f"{c:>5} of {len(a)}"
print(f([int(w) for w in sys.stdin.read().split()], 100))
"""
_STATEMENTS = [f"a{i} = {i} * int(input()) - {i * i % 7}\nprint(a{i} {'+-*/'[i % 4]} {i % 5})\n" for i in range(60)]


def jaccard(a: Shingles, b: Shingles) -> float:
    """Return the exact index: shingles in both over shingles in either."""
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)


def _made(count: int = 120) -> list[str]:
    """Programs of 12 of 60 statements each; most are made of an earlier one by changing some of its statements."""
    generator = np.random.default_rng(3)
    chosen: list[list[int]] = []
    for number in range(count):
        parts = generator.permutation(60)[:12].tolist()
        if number % 6:
            parts = list(chosen[number - 1])
            for at in generator.integers(0, 12, generator.integers(1, 4)):
                parts[at] = int(generator.integers(0, 60))
        chosen.append(parts)
    return ["".join(_STATEMENTS[part] for part in parts) for parts in chosen]


def _recorded(data_dir: Path) -> list[str]:
    with gzip.open(data_dir / "recorded" / "codecontests.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    with gzip.open(data_dir / "codecontests" / "train_subset.jsonl.gz", "rt") as file:
        solutions = [json.loads(line)["solutions"]["solution"][0] for line in file]
    turns = (row.get("turns") or [row] for row in rows)
    return [turn["code"] for several in turns for turn in several if turn.get("code")] + solutions


def _check_estimate(programs: list[str], *, pairs: int) -> None:
    sets = [shingles(program) for program in programs]
    signatures = [signature(one) for one in sets]
    errors = []
    for a, b in itertools.combinations(range(len(programs)), 2):
        if (exact := jaccard(sets[a], sets[b])) > 0.2:
            errors.append(exact - estimate(signatures[a], signatures[b]))
    assert len(errors) >= pairs
    assert np.mean(np.abs(errors)) <= 0.05
    assert abs(np.mean(errors)) <= 0.03  # hardly a bias


def _check_choice(programs: list[str]) -> None:
    """The keeper's choice is that by the estimates of all pairs, and nearly that by the exact index."""
    keeper = Keeper(most=len(programs))
    kept = [number for number, program in enumerate(programs) if keeper.keeps(program)]
    sets = [shingles(program) for program in programs]
    signatures = [signature(one) for one in sets]
    by_estimate: list[int] = []
    by_index: list[int] = []
    for number in range(len(programs)):
        if not any(estimate(signatures[number], signatures[other]) >= 0.7 for other in by_estimate):
            by_estimate.append(number)
        if not any(jaccard(sets[number], sets[other]) >= 0.7 for other in by_index):
            by_index.append(number)
    assert kept == by_estimate
    assert abs(len(kept) - len(by_index)) <= 0.05 * len(by_index)
    assert len(set(kept) & set(by_index)) >= 0.9 * len(by_index)
    assert len(kept) < len(programs)


def test_renaming_and_comments_change_nothing() -> None:
    """Also in f-strings, whose formats stay; white space, comments and texts that are statements do not count."""
    assert np.array_equal(shingles(PROGRAM), shingles(RENAMED))
    assert not np.array_equal(shingles(PROGRAM), shingles(PROGRAM.replace(":>5", ":>6")))


@pytest.mark.parametrize(
    "program",
    [
        "sum = 0\nfor x in map(int, input().split()):\n    sum += x\nprint(sum)",
        "a, sum = map(int, input().split())\nprint(a + sum)",
        "sum, a = map(int, input().split())\nprint(a + sum)",
        "def f(a, sum):\n    return a + sum\nprint(f(1, 2))",
        "for a, sum in enumerate([3, 4]):\n    print(a, sum)",
        "def sum(a) -> int:\n    return len(a)\nprint(sum([1]))",
        "print((lambda a, sum: a * sum)(2, 3))",
    ],
)
def test_renaming_what_was_called_as_a_built_in_changes_nothing(program: str) -> None:
    """A name that the program binds is a variable, though it is a built-in's; built-in names besides stay."""
    assert np.array_equal(shingles(program), shingles(program.replace("sum", "total") + "  # sum = 1"))
    assert not np.array_equal(shingles(program), shingles(program.replace("print", "repr")))


def test_names_that_are_mixed_up_are_another_program() -> None:
    """Names are numbered as they appear: not all of them are one name."""
    assert jaccard(shingles("a = 1\nb = 2\nprint(a - b)"), shingles("a = 1\nb = 2\nprint(b - a)")) < 1


def test_another_constant_differs_in_the_shingles_around_it() -> None:
    """5 of them; the estimate says no more and no less than the index."""
    a, b = shingles(PROGRAM), shingles(PROGRAM.replace("7", "8"))
    assert len(np.setdiff1d(a, b)) == len(np.setdiff1d(b, a)) == 5
    assert estimate(signature(a), signature(b)) < 1


@pytest.mark.parametrize(
    ("a", "b"),
    [("max(x)", "min(x)"), ("x = '#a'", "x = '#b'"), ("'''a'''.upper()", "'''b'''.upper()"), ("a\n/b", "a\n//b")],
)
def test_what_changes_the_meaning_changes_the_shingles(a: str, b: str) -> None:
    """Built-in names, strings with a hash sign, strings in triple quotes that are used, operators."""
    assert not np.array_equal(shingles(a), shingles(b))


@pytest.mark.parametrize("program", ["", "\n", "# nothing", "x", "print()", "\ud800", "'", "'''", "f'{", "\\", "0x"])
def test_tiny_and_broken_programs_have_a_set(program: str) -> None:
    """One shingle, or a few; like nothing but themselves."""
    assert 1 <= len(shingles(program)) <= 3
    keeper = Keeper()
    assert [keeper.keeps(text) for text in (program, program, PROGRAM)] == [True, False, True]


def test_estimate_is_near_the_index() -> None:
    """On programs of all degrees of likeness; a hash family that keeps the order of its values errs by 0.3."""
    _check_estimate(_made(), pairs=150)


@pytest.mark.data
def test_estimate_is_near_the_index_of_real_programs(data_dir: Path) -> None:
    """The same on recorded answers and solutions."""
    _check_estimate(_recorded(data_dir)[:330], pairs=150)


def test_choice_is_that_of_comparing_all() -> None:
    """No near copy is missed for want of a common band; the exact index would choose nearly the same."""
    _check_choice(_made())


@pytest.mark.data
def test_choice_is_that_of_comparing_all_on_real_programs(data_dir: Path) -> None:
    """The same on recorded answers and solutions."""
    _check_choice(_recorded(data_dir))


@pytest.mark.parametrize("similarity", [0.05, 0.3, 0.5, 0.9, 1.0])
def test_bands_miss_nothing_at_any_threshold(similarity: float) -> None:
    """Pairs whose signatures agree in just as many values as needed share a band, wherever the values differ."""
    programs = _made(30)
    keeper = Keeper(similarity, most=30)
    kept: list[str] = []
    for program in programs:
        values = signature(shingles(program))
        is_near = any(estimate(values, signature(shingles(other))) >= similarity for other in kept)
        assert keeper.keeps(program) is not is_near
        kept += [] if is_near else [program]


def test_first_come_is_first_kept() -> None:
    """The choice depends on the order alone: the same twice, and what comes later changes nothing before it."""
    programs = _made()
    choices = []
    for count in (120, 120, 60):
        keeper = Keeper(most=120)
        choices.append([keeper.keeps(program) for program in programs[:count]])
    assert choices[0] == choices[1]
    assert choices[0][:60] == choices[2]


def test_full_problem_keeps_no_more() -> None:
    """And says so, to be told from a near copy."""
    keeper = Keeper(most=2)
    programs = [_STATEMENTS[0], _STATEMENTS[0], _STATEMENTS[1], _STATEMENTS[2]]
    assert [(keeper.is_full, keeper.keeps(program)) for program in programs] == [
        (False, True),
        (False, False),
        (False, True),
        (True, False),
    ]


def test_signature_of_a_known_program_stays() -> None:
    """Data made on another machine, or by another version of Python, hold the same programs."""
    values = signature(shingles(PROGRAM))
    assert len(values) == PERMUTATIONS
    assert values[:3].tolist() == [57613449, 207252264, 138470262]


@pytest.mark.parametrize("arguments", [(0.0, 50), (1.1, 50), (float("nan"), 50), (0.7, 0)])
def test_what_cannot_be_is_refused(arguments: tuple[float, int]) -> None:
    """A sentence that names the value."""
    with pytest.raises(TurnwiseError, match="give"):
        Keeper(*arguments)


@pytest.mark.parametrize(
    "piece",
    ["'", '"""\n\\', "f'{", "{", "'''\\\n", '""" ', "(" * 9, "a" * 9, "x\\\n", '\n"""a" ', "for ", "a, ", "a,b="],
)
def test_hostile_text_costs_its_length(piece: str) -> None:
    """A program of a model is read in linear time, without recursion; in the square of its length it would not end."""
    assert Keeper().keeps(piece * 60_000)
