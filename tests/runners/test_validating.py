"""Validating checkers: each fault of a checker is found and named, and a sound one is counted."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.checkers.checker_sets import Validation, checker_files, folder_of, read_results, stem_of
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.problem import Problem, TestCase
from turnwise.runners.judging.checking import Answer, Checkers, CheckerSession, NoCasesError
from turnwise.runners.judging.labels import Label, name_of_test, read_labels
from turnwise.runners.judging.mutations import NEVER_RIGHT, hostile_outputs, mutants, words_of
from turnwise.runners.judging.validating import NO_DATA, CheckerReport, masked, validate_set

CHECKER = '''"""Two numbers from 1 that add up to n."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(2, 100, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    n = Reader(text).integer(2, 100, "n")
    reader = Reader(output)
    first, second = reader.integers(2, 1, 99, "a number")
    reader.end()
    if first + second != n:
        reader.refuse(f"{first} and {second} do not add up to {n}")
'''
BRUTE_FORCE = """def cases():
    return [
        (f"{n}", f"1 {n - 1}", {f"{a} {b}": a > 0 and b > 0 and a + b == n for a in range(-1, 7) for b in range(-1, 7)})
        for n in range(2, 7)
    ]
"""
PUBLIC = (TestCase("5\n", "1 4\n"),)
PRIVATE = (TestCase("100\n", "1 99\n"), TestCase("7\n", "3 4\n"))
GENERATED = (TestCase("9\n", "1 8\n"), TestCase("-3\n", "0 -3\n"), TestCase("-4\n", "0 -4\n"), TestCase("0\n", "0 0\n"))
PROBLEM = Problem(
    "toy/1_A. Pair", "toy", "test", "A pair.", PUBLIC, PRIVATE + GENERATED, generated_tests=len(GENERATED)
)


@pytest.fixture(scope="module")
def checkers() -> Iterator[Checkers]:
    """One executor of checkers for all tests of this file."""
    with Checkers() as shared:
        yield shared


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set with the sound checker and its brute force."""
    return write_set(tmp_path / "own", CHECKER, BRUTE_FORCE)


def write_set(folder: Path, checker: str, brute_force: str = "") -> Path:
    (folder / "toy").mkdir(parents=True)
    (folder / "toy" / "p1_a.py").write_text(checker)
    if brute_force:
        (folder / "brute_force" / "toy").mkdir(parents=True)
        (folder / "brute_force" / "toy" / "p1_a.py").write_text(brute_force)
    return folder


def validate(
    folder: Path, checkers: Checkers, *, labels: tuple[Label, ...] = (), problem: Problem = PROBLEM
) -> CheckerReport:
    (report,) = validate_set(folder, [problem], checkers, labels={problem.id: labels}, earlier={})
    return report


def test_a_sound_checker_validates_with_all_counts(folder: Path, checkers: Checkers) -> None:
    """Valid tests, labels, mutants, brute force and hostile outputs are counted, what is left out by constraint."""
    labels = (Label(PROBLEM.id, 0, "2 3"), Label(PROBLEM.id, 2, "5 2"), Label(PROBLEM.id, 4, "0 -3"))
    report = validate(folder, checkers, labels=labels)
    found = report.validation
    assert report.is_valid and found.problem == PROBLEM.id and found.file == "toy/p1_a.py"
    assert (found.tests, found.valid, found.labels, found.brute_force) == (7, 4, 2, 5 * 64)
    assert report.constraints == {"n is #, not from # to #": 3} and report.labels_left_out == 1
    assert found.mutations > 100 and found.hostile >= 60
    kinds = Counter(one.kind for one in report.survivors)
    assert found.survivors == len(report.survivors) and set(kinds) <= {"words swapped", "neighbours swapped"} | {
        "words reversed",
        "words sorted",
    }
    assert all(sum(map(int, one.output.split())) == int(one.input) for one in report.survivors)


FAULTS = {
    "it refuses the expected output of public_tests 0: 1 and 4 do not add up to 5": (
        "if first + second != n:",
        "if first + second != n + 1:",
    ),
    "it refuses a right output of public_tests 0: 3 and 2 do not add up to 5": (
        "if first + second != n:",
        "if first > second or first + second != n:",
    ),
    r"it accepts the expected output of \w+ \d changed \(extra word\)": (
        '"a number")\n    reader.end()',
        '"a number")',
    ),
    r"it accepts the expected output of \w+ \d changed \(empty\)": (
        "reader = Reader(output)",
        'reader = Reader(output or "1 1")\n    if not output:\n        return',
    ),
    "it accepts nothing for public_tests 0": (
        "reader = Reader(output)",
        "if not output.strip():\n        return\n    reader = Reader(output)",
    ),
    r"it accepts the expected output of \w+ \d changed \(leading zero\)": (
        "first, second = reader.integers(2, 1, 99, 'a number')",
        "first, second = (int(reader.word()[:9]) for _ in range(2))",
    ),
    "it gives no answer on nothing for public_tests 0: .*IndexError": (
        "reader = Reader(output)",
        "output.split()[0]\n    reader = Reader(output)",
    ),
    "it gives no answer on a mebibyte of a digit for public_tests 0: .*ZeroDivisionError": (
        "reader = Reader(output)",
        "1 // (len(output) < 10**6)\n    reader = Reader(output)",
    ),
    "it calls the input of private_tests 0 invalid: n is 100, not from 2 to 99": ("(2, 100, ", "(2, 99, "),
    "its validator gives no answer on the input of public_tests 0: .*RecursionError": (
        "    reader = Reader(text, Invalid)",
        "    raise RecursionError",
    ),
    "it gives no answer on the expected output of public_tests 0: .*ZeroDivisionError": (
        "n = Reader(text)",
        "1 // (len(expected) - len(expected))\n    n = Reader(text)",
    ),
    r"The checker toy/p1_a.py imports os, line 3: it may import bisect, ": (
        "from turnwise",
        "import os\nfrom turnwise",
    ),
    "The checker toy/p1_a.py uses eval, line 14, which no checker needs: leave it out.": (
        "reader = Reader(output)",
        "eval(output)\n    reader = Reader(output)",
    ),
    r"The checker toy/p1_a.py defines neither check\(text, output, expected\) nor validate\(text\): write one": (
        CHECKER,
        "def judge(text): ...\n",
    ),
    "The checker toy/p1_a.py defines check with 2 arguments: give it 3": (", expected: str)", ")"),
    r"The checker toy/p1_a.py is no Python \(.*\): mend it": ("def validate", "def def validate"),
}


@pytest.mark.parametrize(("sentence", "change"), FAULTS.items(), ids=range(len(FAULTS)))
def test_each_fault_of_a_checker_is_named(
    tmp_path: Path, checkers: Checkers, sentence: str, change: tuple[str, str]
) -> None:
    """A checker with a fault does not validate, and the sentence says which test shows it."""
    before, after = (part.replace("'", '"') for part in change)
    text = CHECKER.replace("'", '"').replace(before, after)
    assert text != CHECKER
    report = validate(write_set(tmp_path / "own", text), checkers, labels=(Label(PROBLEM.id, 0, "3 2"),))
    assert not report.is_valid
    assert any(re.match(sentence, one) for one in report.validation.failures), report.validation.failures


BRUTE_FORCE_FAULTS = {
    "the brute force calls '0 2' right for the input '2', and the checker says wrong: a number is 0, not from 1": (
        "a > 0 and b > 0 and",
        "a >= 0 and b >= 0 and",
    ),
    "the brute force calls '1 3' wrong for the input '4', and the checker says right": ("a > 0", "a > 1"),
    "the brute force calls '-1 -1' wrong for the input '0', and the checker says invalid input: n is 0, not from": (
        "range(2, 7)",
        "range(1)",
    ),
    "its brute force makes no cases: .*ZeroDivisionError": ("    return [", "    1 // 0\n    return ["),
    r"its brute force makes no cases: a case of cases\(\) is no \(input, expected output, \{output: whether": (
        'f"1 {n - 1}"',
        "n",
    ),
    r"its brute force makes no cases: cases\(\) returns no list of cases": ("    return [", "    return None and ["),
    r"The brute force brute_force/toy/p1_a.py does not define cases\(\): write it": ("def cases", "def case"),
    "The checker brute_force/toy/p1_a.py uses open, line 2, which no checker needs": (
        "    return [",
        "    open('x')\n    return [",
    ),
}


@pytest.mark.parametrize(("sentence", "change"), BRUTE_FORCE_FAULTS.items(), ids=range(len(BRUTE_FORCE_FAULTS)))
def test_a_brute_force_that_disagrees_or_fails_is_named(
    tmp_path: Path, checkers: Checkers, sentence: str, change: tuple[str, str]
) -> None:
    """Where the naive search and the checker differ, or it makes nothing, the checker does not validate."""
    changed = BRUTE_FORCE.replace(*change)
    assert changed != BRUTE_FORCE
    report = validate(write_set(tmp_path / "own", CHECKER, changed), checkers)
    assert any(re.match(sentence, one) for one in report.validation.failures), report.validation.failures


def test_a_brute_force_of_endless_output_is_refused(checkers: Checkers) -> None:
    """What cases() returns is bounded."""
    with pytest.raises(NoCasesError, match="larger than the output limit"):
        checkers.cases('def cases():\n    return [("1", "1", {"x" * 2**24: True})]\n')


@pytest.mark.long
def test_a_checker_that_never_ends_is_named_soon(tmp_path: Path, checkers: Checkers) -> None:
    """Each part of the validating ends after a few failures, so that limits are not waited for again and again."""
    text = CHECKER.replace(
        "reader = Reader(output)", 'while " " not in output:\n        pass\n    reader = Reader(output)'
    )
    report = validate(write_set(tmp_path / "own", text), checkers)
    assert "it gives no answer on nothing for public_tests 0: cpu_limit" in report.validation.failures


def test_failures_of_one_kind_are_a_few(tmp_path: Path, checkers: Checkers) -> None:
    """A checker that refuses all says so three times of each part, not of each test."""
    text = CHECKER.replace("first + second != n", "True")
    report = validate(write_set(tmp_path / "own", text), checkers, labels=(Label(PROBLEM.id, 0, "3 2"),) * 9)
    assert Counter(one.partition(" of ")[0] for one in report.validation.failures) == {
        "it refuses the expected output": 3,
        "it refuses a right output": 3,
    }


class _Spoiled(CheckerSession):
    """A session on a machine that fails."""

    def __init__(self) -> None:
        pass

    def close(self) -> None:
        pass

    def ask(self, text: str, output: str, expected: str) -> Answer:
        return Answer(None, "no memory", is_spoiled=True)


def test_a_machine_that_fails_shows_nothing_of_a_checker(
    folder: Path, checkers: Checkers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validating ends with status 3, so that no checker is called wrong for it."""
    monkeypatch.setattr(checkers, "open", lambda checker, is_fresh=True: _Spoiled())
    with pytest.raises(InfrastructureError, match=r"The machine failed while a checker was validated \(no memory\)"):
        validate(folder, checkers)


def test_a_validator_alone_is_tried_on_inputs_alone(tmp_path: Path, checkers: Checkers) -> None:
    """Nothing is counted that does not apply."""
    report = validate(write_set(tmp_path / "own", CHECKER.partition("def check")[0]), checkers)
    found = report.validation
    assert report.is_valid and (found.tests, found.valid) == (7, 4)
    assert found.labels == found.mutations == found.hostile == found.brute_force == 0


def test_a_brute_force_needs_a_check_to_agree_with(tmp_path: Path, checkers: Checkers) -> None:
    """Beside a validator alone it would never be asked; a link that leads nowhere is a file all the same."""
    folder = write_set(tmp_path / "own", CHECKER.partition("def check")[0], BRUTE_FORCE)
    assert validate(folder, checkers).validation.failures == ("it has a brute force, and no check to agree with it",)
    folder = write_set(tmp_path / "other", CHECKER, BRUTE_FORCE)
    (folder / "brute_force" / "toy" / "p1_a.py").unlink()
    (folder / "brute_force" / "toy" / "p1_a.py").symlink_to("nowhere")
    assert "cannot be read (it is a link" in validate(folder, checkers).validation.failures[0]


def test_nothing_of_a_checker_runs_in_this_process(
    tmp_path: Path, checkers: Checkers, capfd: pytest.CaptureFixture[str]
) -> None:
    """A file is read and runs in the sandbox alone: what it prints is nowhere, what it changes is not here."""
    mischief = 'print("mischief")\nre.escape = None\n'
    checker = CHECKER.replace("from turnwise", "import re\nfrom turnwise", 1)
    checker = checker.replace("\n\ndef validate", f"\n{mischief}\n\ndef validate")
    report = validate(write_set(tmp_path / "own", checker, f"import re\n\n{mischief}\n{BRUTE_FORCE}"), checkers)
    assert report.is_valid and report.validation.brute_force == 5 * 64
    assert "mischief" not in "".join(capfd.readouterr()) and re.escape("a") == "a"


def test_a_problem_without_data_keeps_its_validation_while_its_file_is_the_same(
    folder: Path, checkers: Checkers
) -> None:
    """Data of other problems neither confirm nor lose what was found; a changed file has nothing to show."""
    before = validate(folder, checkers).validation
    (kept,) = validate_set(folder, [], checkers, labels={}, earlier={before.file: before})
    assert kept.validation == before and not kept.has_data
    (folder / before.file).write_text(CHECKER + "\n")
    (changed,) = validate_set(folder, [], checkers, labels={}, earlier={before.file: before})
    assert changed.validation.failures == (NO_DATA,) and changed.validation.problem == PROBLEM.id
    (unknown,) = validate_set(folder, [], checkers, labels={}, earlier={})
    assert unknown.validation.problem == "toy/1_a" and unknown.validation.failures == (NO_DATA,)


def test_two_problems_of_one_stem_have_no_checker(folder: Path, checkers: Checkers) -> None:
    """It cannot be said whose checker it is, so it is nobody's."""
    other = Problem("toy/1_a. Other", "toy", "test", "Another.", PUBLIC, ())
    (report,) = validate_set(folder, [PROBLEM, other], checkers, labels={}, earlier={})
    assert "it is of two problems, 'toy/1_A. Pair' and 'toy/1_a. Other'" in report.validation.failures[0]


def test_a_file_that_is_a_link_is_not_read(folder: Path, checkers: Checkers, tmp_path: Path) -> None:
    """A checker is a file of the set itself."""
    path = folder / "toy" / "p1_a.py"
    path.rename(tmp_path / "elsewhere.py")
    path.symlink_to(tmp_path / "elsewhere.py")
    report = validate(folder, checkers)
    assert report.validation.failures[0].startswith("The checker 'toy/p1_a.py' cannot be read (it is a link")
    assert report.validation.sha256 == ""


def test_validating_twice_gives_the_same_records(folder: Path, checkers: Checkers) -> None:
    """Nothing of it is random."""
    assert validate(folder, checkers) == validate(folder, checkers)


def test_mutants_are_of_many_kinds_and_none_is_the_output_itself() -> None:
    """At least 20 kinds, each different from the output word by word and from the others."""
    output = "YES\n3 10 2\nNO\n"
    made = list(mutants(output, others=["NO\n", "YES\n1 2 3\n"]))
    assert len({one.kind for one in made}) >= 35 and {one.kind for one in made} >= NEVER_RIGHT
    words = [words_of(one.text) for one in made]
    assert len(set(words)) == len(words) and words_of(output) not in words
    assert made == list(mutants(output, others=["NO\n", "YES\n1 2 3\n"]))


@pytest.mark.parametrize("output", ["", "\n", "0", "word", "-5\n", "1.5 2e3", "\0 \ud800", "1" * 50])
def test_any_output_has_mutants(output: str) -> None:
    """Outputs without words, numbers or lines are changed as far as there is something to change."""
    assert any(one.kind == "extra word" for one in mutants(output, others=()))


def test_forms_of_numbers_that_no_checker_reads() -> None:
    """A plus sign, a leading zero, digits that stand apart, and digits of other scripts."""
    forms = {one.kind: one.text for one in mutants("10", others=()) if one.kind in NEVER_RIGHT}
    assert forms["plus sign"] == "+10" and forms["leading zero"] == "010" and forms["digits apart"] == "1_0"
    assert int(forms["other digits"]) == 10 and not forms["other digits"].isascii()


def test_hostile_outputs_are_many_and_none_is_an_answer() -> None:
    """At least 30, among them nothing, a NUL, a mebibyte, lone surrogates, code and deep nests."""
    made = hostile_outputs("1 2\n")
    assert len(made) >= 30 and len(set(made.values())) == len(made)
    assert all(words_of(output) != ("1", "2") for output in made.values())
    assert {"", "\0"} <= set(made.values()) and max(map(len, made.values())) >= 2**20


def test_numbers_and_words_in_a_constraint_are_masked() -> None:
    """So that one constraint is one line however many inputs break it."""
    assert masked("a_3 is '-5x', not from 1 to 1000") == "a_# is #, not from # to #"
    assert masked('s holds "\'", which is not allowed') == "s holds #, which is not allowed"


def test_labels_name_tests_by_group_and_index(tmp_path: Path) -> None:
    """By the problem's name or id; private tests stand before the generated ones."""
    path = tmp_path / "labels.jsonl"
    row = {"problem": "1_A. Pair", "group": "private_tests", "index": 1, "output": "3 4", "language": "cpp"}
    path.write_text(
        "".join(json.dumps(one) + "\n" for one in (row, {**row, "problem": PROBLEM.id, "group": "generated_tests"}))
    )
    found = read_labels(path, [PROBLEM])[PROBLEM.id]
    assert [one.test for one in found] == [2, 4]
    assert [name_of_test(PROBLEM, one.test) for one in found] == ["private_tests 1", "generated_tests 1"]


ROW = {"problem": "1_A. Pair", "group": "public_tests", "index": 0, "output": "2 3"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (json.dumps({**ROW, "problem": "2_B"}), "problem '2_B' is none of toy here"),
        (json.dumps({**ROW, "index": 1}), "index is 1, and the public_tests of 'toy/1_A. Pair' here are 1"),
        (json.dumps({**ROW, "index": -1}), "field 'index' is int -1"),
        (json.dumps({**ROW, "group": "hidden"}), "field 'group' is str 'hidden'"),
        (json.dumps({name: ROW[name] for name in ("problem", "group", "index")}), "field 'output' is missing"),
        (json.dumps({**ROW, "output": 5}), "field 'output' is int 5"),
        ("{", "is no JSON"),
        ("", "hold no row: write a JSON line with problem, group, index and output"),
        (None, "cannot be read"),
    ],
)
def test_labels_that_cannot_be_used_are_one_sentence(tmp_path: Path, text: str | None, sentence: str) -> None:
    """The row, the field and its value, or the file."""
    path = tmp_path / "labels.jsonl"
    if text is not None:
        path.write_text(text and text + "\n")
    with pytest.raises(TurnwiseError, match=re.escape(sentence)):
        read_labels(path, [PROBLEM])


FEW = ("1594_a", "1579_b", "1591_f")


def _validate_bundled(
    full_dir: Path, data_dir: Path, checkers: Checkers, stems: tuple[str, ...]
) -> list[CheckerReport]:
    folder = folder_of("checkers-1")
    benchmarks = {benchmark for benchmark, _ in checker_files(folder)}
    problems = [one for name in sorted(benchmarks) for one in load_problems(name, data_dir=full_dir).problems]
    labels = read_labels(data_dir.parent / "labels" / "right_outputs.jsonl.gz", problems)
    chosen = [one for one in problems if not stems or stem_of(one.name).removeprefix("p") in stems]
    reports = validate_set(folder, chosen, checkers, labels=labels, earlier={}, workers=2)
    return [one for one in reports if one.has_data]


def _recorded(reports: list[CheckerReport]) -> dict[str, Validation]:
    results = read_results(folder_of("checkers-1"))
    files = {one.validation.file for one in reports}
    return {one.file: one for one in results.checkers if one.file in files}


@pytest.mark.data
def test_checkers_of_the_package_validate_as_recorded(full_dir: Path, data_dir: Path, checkers: Checkers) -> None:
    """A few of them, with the right outputs of people's programs: set.json says what is found."""
    reports = _validate_bundled(full_dir, data_dir, checkers, FEW)
    assert len(reports) == len(FEW) and all(one.is_valid for one in reports)
    assert {one.validation.file: one.validation for one in reports} == _recorded(reports)


@pytest.mark.data
@pytest.mark.long
def test_all_checkers_of_the_package_validate_as_recorded(full_dir: Path, data_dir: Path, checkers: Checkers) -> None:
    """Every one, as turnwise checkers validate does it."""
    reports = _validate_bundled(full_dir, data_dir, checkers, ())
    assert {one.validation.file: one.validation for one in reports} == _recorded(reports)
