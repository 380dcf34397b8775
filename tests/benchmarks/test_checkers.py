"""What checkers are written with reads strictly, and what they may not use is refused by its name."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.benchmarks.checkers.checker_sets import (
    BRUTE_FORCE,
    CheckerSet,
    Validation,
    Validations,
    assemble,
    assemble_cases,
    checker_files,
    digest_of,
    folder_of,
    load_checkers,
    read_checker_file,
    read_results,
    reading_text,
    stem_of,
    write_results,
)
from turnwise.benchmarks.checkers.reading import Invalid, Reader, Wrong
from turnwise.errors import TurnwiseError

SOUND = '"""A checker."""\n\n\ndef check(text: str, output: str, expected: str) -> None: ...\n'


def test_words_stand_between_blanks_of_ascii() -> None:
    """Lines are not significant; blanks of other scripts and control characters are parts of words."""
    reader = Reader(" 1\t2\r\n3\f\v4\n")
    assert reader.integers(4, 1, 4) == [1, 2, 3, 4] and not reader.has_more()
    reader.end()
    for blank in ("\u00a0", "\u2003", "\x1c", "\x85", "\0"):
        with pytest.raises(Wrong, match="not an integer"):
            Reader(f"1{blank}2").integer(1, 2)


@pytest.mark.parametrize("number", ["0", "7", "-7", "1" + "0" * 40])
def test_integers_are_read_as_contest_checkers_do(number: str) -> None:
    """Plain digits, with a minus where there is one."""
    assert Reader(number).integer(-(10**40), 10**40) == int(number)


FORMS = [
    "+5",
    "05",
    "-0",
    "-05",
    "1_000",
    "1.0",
    "1e0",
    "0x5",
    "\u0665",
    "\uff15",
    "\u00b2",
    "five",
    "--5",
    "5\0",
    "9" * 50,
]


@pytest.mark.parametrize("number", FORMS)
def test_other_forms_are_no_integers(number: str) -> None:
    """What Python's int reads and a contest checker does not, and numbers of too many digits."""
    with pytest.raises(Wrong, match=r"n is .* not an integer"):
        Reader(number).integer(-(10**60), 10**60, "n")


@pytest.mark.parametrize(
    "number", ["nan", "inf", "-inf", "1e999", "+1.5", "1_0.5", ".5", "5.", "1e+400", "\u0661.5", "0x1p3"]
)
def test_other_forms_are_no_decimal_numbers(number: str) -> None:
    """Neither NaN nor infinity, nor what is none in a contest."""
    with pytest.raises(Wrong, match=r"not a decimal number|not from"):
        Reader(number).decimal(-1e9, 1e9, "x")


def test_decimal_numbers_are_read() -> None:
    """With a point or an exponent, or as an integer."""
    assert Reader("1.5 -2 3e-1").decimal(0, 2) == 1.5
    reader = Reader("-2 3e-1")
    assert [reader.decimal(-3, 3), reader.decimal(-3, 3)] == [-2.0, 0.3]


REFUSALS: list[tuple[Callable[[Reader], object], str, str]] = [
    (lambda reader: reader.integer(1, 5, "n"), "6", "n is 6, not from 1 to 5"),
    (lambda reader: reader.integer(1, 5, "n"), "", "n is missing: the text ends"),
    (lambda reader: reader.integers(3, 1, 5, "a"), "1 2", "a is missing: the text ends"),
    (lambda reader: reader.end(), "x", "'x' stands where the text should end"),
    (lambda reader: reader.word("the answer", ("YES", "NO")), "yes", "the answer is 'yes', not one of YES, NO"),
    (
        lambda reader: reader.word("the answer", ("YES", "NO"), any_case=True),
        "y",
        "the answer is 'y', not one of yes, no",
    ),
    (lambda reader: reader.string("01", 1, 3, "s"), "0110", "the length of s is 4, not 1 to 3"),
    (lambda reader: reader.string("01", 1, 3, "s"), "012", "s holds '2', which is not allowed"),
    (lambda reader: reader.decimal(0, 1, "p"), "1.5", "p is 1.5, not from 0 to 1"),
]


@pytest.mark.parametrize(("read", "text", "why"), REFUSALS)
def test_a_refusal_names_what_is_wrong(read: Callable[[Reader], object], text: str, why: str) -> None:
    """Of an output as Wrong, of an input as Invalid, each with the same sentence."""
    for refusal in (Wrong, Invalid):
        with pytest.raises(refusal, match=re.escape(why)):
            read(Reader(text, refusal))


def test_words_in_any_case_are_read_in_lower_case() -> None:
    """Letters of other scripts that fold to ASCII ones are none."""
    assert Reader("YeS").word("w", ("Yes", "No"), any_case=True) == "yes"
    with pytest.raises(Wrong):
        Reader("\u212aO").word("w", ("KO",), any_case=True)


def test_a_huge_text_is_read_no_further_than_it_is_asked_for() -> None:
    """A word of a mebibyte is refused with its start alone."""
    with pytest.raises(Wrong) as caught:
        Reader("9" * 2**20 + " 1" * 2**18).integer(1, 5, "n")
    assert len(str(caught.value)) < 100


NAMES = (
    *("eval", "exec", "compile", "open", "input", "breakpoint", "globals", "locals", "vars", "getattr", "setattr"),
    *("get_type_hints", "ForwardRef", "make_dataclass", "Formatter", "CodeType", "FunctionType"),
    *("pickle", "ctypes", "os", "sys", "subprocess", "inspect", "importlib", "builtins", "bltns", "import_module"),
    *("get_field", "attrgetter", "methodcaller", "__import__", "__builtins__", "__loader__", "__file__"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_checker_needs_is_refused(name: str) -> None:
    """Called or only named, in whatever function."""
    for use in (f"{name}('1')", f"x = {name}", f"[{name} for _ in range(2)]"):
        with pytest.raises(TurnwiseError, match=re.escape(f"The checker own uses {name}, line 6, which no checker")):
            assemble(f"{SOUND}\ndef helper() -> None: {use}\n", origin="own")


@pytest.mark.parametrize(
    "attribute",
    [
        "().__class__",
        "x._private",
        "math.__loader__",
        "re.sys",
        "operator.attrgetter",
        "enum.bltns",
        "string.Formatter",
        "''.__init_subclass__",
    ],
)
def test_an_attribute_that_leads_out_is_refused(attribute: str) -> None:
    """Underscores of other objects than one's own, and modules inside modules."""
    with pytest.raises(TurnwiseError, match="which no checker needs: leave it out"):
        assemble(f"{SOUND}\nvalue = {attribute}\n", origin="own")


@pytest.mark.parametrize(
    "module",
    ["os", "sys", "pickle", "ctypes", "subprocess", "socket", "importlib", "builtins", "inspect", "numpy", "os.path"],
)
def test_a_module_off_the_list_is_refused(module: str) -> None:
    """By whatever form of import, with its name and line, and with what may be imported."""
    for line in (
        f"import {module}",
        f"import math, {module}",
        f"from {module} import something",
        f"import {module} as m",
    ):
        with pytest.raises(
            TurnwiseError, match=re.escape(f"The checker own imports {module}, line 1: it may import bisect")
        ):
            assemble(f"{line}\n{SOUND}", origin="own")


@pytest.mark.parametrize(
    "line", ["from . import x", "from .. import x", "from .reading import Reader", "from turnwise import errors"]
)
def test_a_module_of_turnwise_is_refused(line: str) -> None:
    """reading.py alone is there, and its text stands before the checker."""
    with pytest.raises(TurnwiseError, match="The checker own imports"):
        assemble(f"{line}\n{SOUND}", origin="own")


def test_a_pattern_is_compiled_and_own_attributes_are_used() -> None:
    """re.compile makes no code, and a class of a checker has attributes of its own."""
    text = "import re\nW = re.compile('a')\nclass Node:\n    def __init__(self) -> None:\n        self._next = 1\n"
    assert assemble(text + SOUND, origin="own").checks
    with pytest.raises(TurnwiseError, match="uses compile"):
        assemble(f"from re import compile\n{SOUND}", origin="own")


def test_what_runs_is_reading_then_the_checker() -> None:
    """The line that imports reading.py is left out, also over several lines; line numbers stay."""
    text = "from turnwise.benchmarks.checkers.reading import (\n    Reader,\n    Wrong,\n)\n" + SOUND
    checker = assemble(text, origin="own")
    assert checker.source.startswith(reading_text()) and "import (" not in checker.source
    assert checker.source.splitlines().count("") >= 4 and not checker.validates


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "defines neither check(text, output, expected) nor validate(text): write one"),
        ("class A:\n    def check(self, a, b, c): ...\n", "defines neither"),
        ("def check(text): ...\n", "defines check with 1 arguments: give it 3"),
        ("def validate(): ...\n", "defines validate with 0 arguments: give it 1"),
        ("def check(:\n", "is no Python"),
        ("(" * 1000, "is no Python"),
        ("x = '\0'\n", "is no Python"),
    ],
)
def test_a_file_without_the_interface_is_refused(text: str, why: str) -> None:
    """The interface is two functions with their arguments."""
    with pytest.raises(TurnwiseError, match=re.escape(why)):
        assemble(text, origin="own")


def test_a_brute_force_has_cases_and_is_screened() -> None:
    """As a checker is."""
    assert assemble_cases("def cases():\n    return []\n", origin="own")
    with pytest.raises(TurnwiseError, match=re.escape("does not define cases(): write it")):
        assemble_cases("def cases(x):\n    return []\n", origin="own")
    with pytest.raises(TurnwiseError, match="uses eval"):
        assemble_cases("def cases():\n    return eval('[]')\n", origin="own")


def test_files_are_found_by_benchmark_and_stem(tmp_path: Path) -> None:
    """Those of the brute force are no checkers, nor is anything that is not called so."""
    for name in ("toy/p1_a.py", "brute_force/toy/p1_a.py", "toy/other.py", "toy/p2.txt", "p3.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SOUND)
    assert list(checker_files(tmp_path)) == [("toy", "toy/p1_a.py")]
    assert [stem_of(name) for name in ("1582_F1. K (easy)", "36", "HumanEval/3")] == ["p1582_f1", "p36", "phumaneval_3"]


def _written(folder: Path, *checkers: Validation, name: str = "own", reading: str = "") -> CheckerSet:
    (folder / "toy").mkdir(parents=True, exist_ok=True)
    (folder / "toy" / "p1.py").write_text(SOUND)
    write_results(folder, Validations(name, reading or digest_of(reading_text()), checkers))
    return load_checkers(str(folder))


def test_a_checker_is_used_if_it_was_validated_as_it_is(tmp_path: Path) -> None:
    """Not one that failed, nor one that changed; of other problems there is none."""
    answers = _written(tmp_path, Validation("toy/1", "toy/p1.py", digest_of(SOUND)))
    checker = answers.find("toy/1")
    assert checker is not None and checker.origin == "own toy/p1.py" and answers.find("toy/2") is None
    (tmp_path / "toy" / "p1.py").write_text(SOUND + "\n")
    assert answers.find("toy/1") is None
    assert answers.reason_against("toy/1") == "it has changed since it was validated"
    failed = _written(tmp_path / "b", Validation("toy/1", "toy/p1.py", digest_of(SOUND), failures=("it is lax",)))
    assert failed.find("toy/1") is None and failed.reason_against("toy/1") == "it did not validate: it is lax"


def test_a_set_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """One of the package's name, of another reading.py, or whose file is torn."""
    with pytest.raises(TurnwiseError, match=r"calls its set 'checkers-1', which is the package's own"):
        _written(tmp_path / "a", name="checkers-1")
    with pytest.raises(TurnwiseError, match=r"validated with another reading.py than this one's"):
        _written(tmp_path / "b", reading="0")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "set.json").write_text("{")
    with pytest.raises(TurnwiseError, match=r"cannot be read \(it is cut off or no JSON\): turnwise checkers validate"):
        load_checkers(str(tmp_path / "c"))


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    """In the order of the files, whatever the order they were found in."""
    first, second = Validation("toy/1", "toy/p1.py", "a", 3, 2, failures=("x",)), Validation("toy/2", "toy/p2.py", "b")
    write_results(tmp_path, Validations("own", "0", (second, first), origin="o", licence="MIT"))
    assert read_results(tmp_path) == Validations("own", "0", (first, second), origin="o", licence="MIT")


def test_every_checker_of_the_package_was_validated_as_it_is() -> None:
    """A file that was added or changed, or another reading.py, needs turnwise checkers validate --write."""
    folder = folder_of("checkers-1")
    results = read_results(folder)
    now = {name: digest_of(read_checker_file(folder, name)) for _, name in checker_files(folder)}
    assert {one.file: one.sha256 for one in results.checkers} == now
    assert results.reading_sha256 == digest_of(reading_text()) and results.name == "checkers-1"


def test_every_brute_force_of_the_package_is_of_a_checker() -> None:
    """One of another name would never be asked."""
    folder = folder_of("checkers-1")
    names = {path.relative_to(folder / BRUTE_FORCE).as_posix() for path in (folder / BRUTE_FORCE).glob("*/*.py")}
    assert names and names <= {name for _, name in checker_files(folder)}
