"""Rows of the four schemas become problems, and each broken row one sentence that says where and what."""

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.limits import Limits
from turnwise.benchmarks.records import Comparison, Flag, Problem, TestCase
from turnwise.benchmarks.rows import RowError

Write = Callable[..., Path]
GoodRow = Callable[..., dict[str, Any]]

BENCHMARKS = ("codecontests", "taco", "humaneval_plus", "mbpp_plus")
HUGE_MARK, HUGE = "@HUGE", 10**20_000 - 1
DELETED = "@DELETED"
EMPTY: dict[str, list[str]] = {"input": [], "output": []}
UNEQUAL = {"input": ["1", "2"], "output": ["1"]}
DEEP = "[" * 300 + "]" * 300


def call(**document: Any) -> str:
    """Return the input_output of a call-based TACO row; huge and deep ones are put in as text."""
    text = json.dumps({"fn_name": "f", "inputs": [[1]], "outputs": [1], **document})
    return text.replace('"@DEEP"', DEEP)


# The fields of the second of three rows that make it broken, by schema, and a word its message has to hold.
_REQUIRED = {
    "codecontests": ("name", "description", "public_tests", "private_tests"),
    "taco": ("question", "input_output"),
    **dict.fromkeys(
        BENCHMARKS[2:],
        ("task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input"),
    ),
}
_SPECIFIC: dict[str, list[tuple[dict[str, Any], str]]] = {
    "codecontests": [
        ({"public_tests": EMPTY}, "public_tests"),
        ({"public_tests": UNEQUAL}, "2 inputs but 1 outputs"),
        ({"private_tests": UNEQUAL}, "private_tests"),
        ({"generated_tests": UNEQUAL}, "generated_tests"),
        ({"public_tests": {"input": [1], "output": ["1"]}}, "public_tests.input"),
        ({"public_tests": {"input": [HUGE_MARK], "output": ["1"]}}, "public_tests.input"),
        ({"name": ""}, "name"),
        ({"name": "two\nlines", "public_tests": EMPTY}, "public_tests"),
        ({"name": "\ud800", "public_tests": EMPTY}, "public_tests"),
        ({"name": "n" * 5000, "public_tests": EMPTY}, "public_tests"),
        ({"cf_rating": HUGE_MARK}, "cf_rating"),
        ({"time_limit": HUGE_MARK}, "time limit"),
        ({"time_limit": {"seconds": HUGE_MARK, "nanos": 0}}, "time limit"),
        ({"time_limit": "soon"}, "time limit"),
        ({"time_limit": -1}, "time limit"),
        ({"memory_limit_bytes": HUGE_MARK}, "memory limit"),
        ({"memory_limit_bytes": True}, "memory limit"),
        ({"input_file": "../input.txt"}, "input_file"),
        ({"output_file": ".."}, "output_file"),
        ({"solutions": []}, "solutions"),
    ],
    "taco": [
        ({"input_output": '{"inputs": ["1'}, "input_output"),
        ({"input_output": "[]"}, "input_output"),
        ({"input_output": "null"}, "input_output"),
        ({"input_output": '{"inputs": [], "outputs": []}'}, "holds no test"),
        ({"input_output": '{"inputs": ["1"]}'}, "outputs"),
        ({"input_output": '{"inputs": "1", "outputs": "1"}'}, "inputs"),
        ({"input_output": '{"inputs": ["1", "2"], "outputs": ["1"]}'}, "2 inputs but 1 outputs"),
        ({"input_output": "[" * 10**5}, "input_output"),
        ({"input_output": f'{{"inputs": [{"[" * 900 + "]" * 900}], "outputs": ["1"]}}'}, "nested"),
        ({"input_output": call(fn_name=5)}, "fn_name"),
        ({"input_output": call(fn_name="f; import os")}, "fn_name"),
        ({"input_output": call(inputs=[5])}, "call input"),
        ({"input_output": call(inputs=["1\nx"])}, "call input"),
        ({"input_output": call(inputs=[["@DEEP"]])}, "nested"),
        ({"input_output": call(outputs=["@DEEP"])}, "nested"),
        ({"solutions": "["}, "solutions"),
        ({"solutions": "5"}, "solutions"),
        ({"solutions": '"print(1)"'}, "solutions"),
        ({"solutions": {"a": 1}}, "solutions"),
        ({"_index": HUGE_MARK}, "index"),
        ({"_index": "1"}, "index"),
        ({"time_limit": HUGE_MARK}, "time limit"),
        ({"memory_limit": "much"}, "memory limit"),
    ],
    **dict.fromkeys(
        BENCHMARKS[2:],
        [
            ({"base_input": []}, "holds no test"),
            ({"base_input": [1]}, "base_input"),
            ({"entry_point": "f()"}, "entry_point"),
            ({"atol": "0"}, "atol"),
            ({"atol": -1}, "atol"),
            ({"atol": float("nan")}, "atol"),
            ({"atol": float("inf")}, "atol"),
            ({"atol": HUGE_MARK}, "atol"),
            ({"prompt": HUGE_MARK}, "prompt"),
        ],
    ),
}
_MBPP: list[tuple[dict[str, Any], str]] = [
    ({"task_id": "Mbpp/two"}, "task_id"),
    ({"task_id": "Mbpp/2", "base_input": [[5, 6]]}, "an input"),
    ({"task_id": "Mbpp/115", "base_input": [[[[[1]]]]]}, "an input"),
    ({"task_id": "Mbpp/124", "base_input": [[HUGE_MARK, 1]]}, "an input"),
    ({"task_id": "Mbpp/252", "base_input": [["1+x"]]}, "an input"),
    ({"task_id": "Mbpp/252", "base_input": [[HUGE_MARK]]}, "an input"),
    ({"task_id": "Mbpp/722", "base_input": [[[1], 2, 3]]}, "an input"),
]
_LINES: list[tuple[bytes, str]] = [
    (b'{"name": "A"', "JSON"),
    (b"nul", "JSON"),
    (b'{"name": "\xff"}', "utf-8"),
    (b"[1, 2]", "JSON list"),
    (b"5", "JSON int"),
    (b"[" * 10**5, "JSON"),
    (b"{}", "is missing"),
    (b"\0\0\0\0", "JSON"),
]
CHANGES = [
    *[(name, {field: DELETED}, field) for name, fields in _REQUIRED.items() for field in fields],
    *[(name, {field: 5}, field) for name, fields in _REQUIRED.items() for field in fields],
    *[(name, {field: None}, field) for name, fields in _REQUIRED.items() for field in fields],
    *[(name, change, word) for name, table in _SPECIFIC.items() for change, word in table],
    *[("mbpp_plus", change, word) for change, word in _MBPP],
]


def check_one_sentence(folder: Path, benchmark: str, *, where: str, word: str, kept: int) -> None:
    """Check that the row is refused with one sentence, and left out with the same one on request."""
    with pytest.raises(RowError) as caught:
        load_problems(benchmark, data_dir=folder)
    message = str(caught.value)
    assert message.startswith(where), message
    assert word.lower() in message.lower()
    assert message.isprintable()
    assert message.endswith(". Mend the row, or leave it out with --skip-broken-rows.")
    assert len(message) < 400
    found = load_problems(benchmark, data_dir=folder, on_error="skip")
    assert [str(error) for error in found.broken_rows] == [message]
    assert len(found.problems) == kept


@pytest.mark.parametrize(("benchmark", "change", "word"), CHANGES, ids=lambda part: str(part)[:60])
def test_a_broken_row_is_one_sentence_and_the_others_stay(
    benchmark: str, change: dict[str, Any], word: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    broken = {key: value for key, value in good_row(benchmark, 1, **change).items() if value != DELETED}
    path = write(benchmark, [good_row(benchmark, 0), broken, good_row(benchmark, 2)])
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 2", word=word, kept=2)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
@pytest.mark.parametrize(("line", "word"), _LINES, ids=lambda part: str(part)[:20])
def test_a_line_that_is_no_row_is_one_sentence_and_the_others_stay(
    benchmark: str, line: bytes, word: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    path = write(benchmark, [good_row(benchmark, 0), line, good_row(benchmark, 2)])
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 2: ", word=word, kept=2)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_problem_that_stands_twice_is_refused_the_second_time(
    benchmark: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    path = write(benchmark, [good_row(benchmark, number) for number in (0, 1, 0)])
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 3", word=f"{path.name} row 1", kept=2)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_blank_lines_are_counted_and_nothing_more(
    benchmark: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    path = write(benchmark, [b"", good_row(benchmark, 0), b"  ", b"[]", b""])
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 4", word="list", kept=1)


def test_a_truncated_gzip_keeps_the_rows_before_the_cut(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    noise = random.Random(0)
    rows = [good_row("codecontests", number, description=noise.randbytes(50_000).hex()) for number in range(3)]
    path = write("codecontests", rows, "codecontests/test.jsonl.gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    check_one_sentence(tmp_path, "codecontests", where="test.jsonl.gz row 2: ", word="cut off", kept=1)


def test_a_file_that_only_claims_to_be_gzip_is_one_sentence(tmp_path: Path, write: Write) -> None:
    write("taco", [], "taco/test.jsonl.gz").write_bytes(b"plain text\n")
    check_one_sentence(tmp_path, "taco", where="test.jsonl.gz row 1: ", word="damaged", kept=0)


@pytest.mark.parametrize("damage", ["cut", "empty", "garbled"])
def test_a_damaged_parquet_file_is_one_sentence(damage: str, write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    path = write("codecontests", [], "codecontests/test.parquet")
    parquet.write_table(pyarrow.Table.from_pylist([good_row("codecontests", 0)]), path)
    data = path.read_bytes()
    damaged = {"cut": data[: len(data) // 2], "empty": b"", "garbled": data[:10] + b"\xff" * 190 + data[200:]}
    path.write_bytes(damaged[damage])
    check_one_sentence(tmp_path, "codecontests", where="test.parquet row 1: ", word="damaged", kept=0)


def test_invalid_utf8_in_a_parquet_file_costs_its_own_row_alone(
    write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    table = pyarrow.Table.from_pylist([good_row("codecontests", number) for number in range(3)])
    names = pyarrow.array([b"A", b"\xff", b"B"], pyarrow.binary()).view(pyarrow.string())
    table = table.set_column(table.column_names.index("name"), "name", names)
    parquet.write_table(table, write("codecontests", [], "codecontests/test.parquet"))
    check_one_sentence(tmp_path, "codecontests", where="test.parquet row 2", word="utf-8", kept=2)


@pytest.fixture
def load(write: Write, good_row: GoodRow, tmp_path: Path) -> Callable[..., Problem]:
    """load(benchmark, split="test", **changed fields) loads one row."""

    def load_one(benchmark: str, split: str = "test", **changes: Any) -> Problem:
        place = f"{benchmark}/{split}.jsonl" if benchmark in BENCHMARKS[:2] else ""
        row = {key: value for key, value in good_row(benchmark, 1, **changes).items() if value != DELETED}
        write(benchmark, [row], place)
        (problem,) = load_problems(benchmark, split=split, data_dir=tmp_path).problems
        return problem

    return load_one


def arguments_of(problem: Problem) -> list[Any]:
    return [values.loads(test.input) for test in problem.public_tests + problem.hidden_tests]


def test_codecontests_hides_private_and_generated_tests(load: Callable[..., Problem]) -> None:
    problem = load("codecontests")
    assert problem.id == "codecontests/1_A. Next"
    assert problem.public_tests == (TestCase("1\n", "2\n"),)
    assert problem.hidden_tests == (TestCase("3\n", "4\n"), TestCase("5\n", "6\n"))
    assert (problem.limits, problem.rule.ignore_case) == (Limits(2.0, 256_000_000), True)
    assert (problem.flags, problem.entry_point) == ((), "")


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({"time_limit": None, "memory_limit_bytes": 0}, Limits(10.0, 2**30)),
        ({"time_limit": DELETED, "memory_limit_bytes": DELETED}, Limits(10.0, 2**30)),
        ({"time_limit": {"seconds": 0, "nanos": 500_000_000}}, Limits(0.5, 256_000_000)),
        ({"time_limit": "3 seconds", "memory_limit_bytes": "64 megabytes"}, Limits(3.0, 64_000_000)),
    ],
)
def test_codecontests_limits_are_the_problems_or_ten_seconds_and_a_gibibyte(
    changes: dict[str, Any], limits: Limits, load: Callable[..., Problem]
) -> None:
    assert load("codecontests", **changes).limits == limits


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"private_tests": EMPTY}, ()),
        ({"private_tests": EMPTY, "generated_tests": EMPTY}, (Flag.NO_HIDDEN_TESTS,)),
        ({"name": "1599_H. Hidden Fortress"}, (Flag.INTERACTIVE,)),
        ({"name": "1599_H2. Another"}, ()),
        ({"cf_tags": ["interactive"]}, (Flag.INTERACTIVE,)),
        ({"description": "This is an interactive problem."}, (Flag.INTERACTIVE,)),
        ({"description": "If there are several answers, print any."}, (Flag.MULTIPLE_ANSWERS,)),
    ],
)
def test_codecontests_flags_say_what_cannot_be_scored(
    changes: dict[str, Any], flags: tuple[Flag, ...], load: Callable[..., Problem]
) -> None:
    assert load("codecontests", **changes).flags == flags


def test_codecontests_keeps_file_names_ratings_and_python3_solutions(load: Callable[..., Problem]) -> None:
    solutions = {"language": [1, 3, 2, 3], "solution": ["two", "three", "c++", "also three"]}
    problem = load("codecontests", input_file="in.txt", output_file="stdout", cf_rating=1500, solutions=solutions)
    assert (problem.input_file, problem.output_file) == ("in.txt", "")
    assert (problem.difficulty, problem.solutions) == ("1500", ("three", "also three"))


def test_taco_shows_the_first_test_and_hides_the_rest(load: Callable[..., Problem]) -> None:
    problem = load("taco", solutions='["print(1)"]', time_limit="2.0 seconds", memory_limit="256.0 megabytes")
    assert problem.id == "taco/1"
    assert (problem.public_tests, problem.hidden_tests) == ((TestCase("1\n", "2\n"),), (TestCase("2\n", "3\n"),))
    assert (problem.limits, problem.rule.ignore_case) == (Limits(2.0, 256_000_000), False)
    assert (problem.difficulty, problem.solutions) == ("UNKNOWN_DIFFICULTY", ("print(1)",))


def test_taco_tests_that_are_no_text_are_written_line_by_line(load: Callable[..., Problem]) -> None:
    tests = '{"inputs": [["1", "2 3"], [@HUGE, [4]]], "outputs": [5, ["6", 0.5]]}'.replace("@HUGE", "9" * 20_000)
    problem = load("taco", input_output=tests)
    assert problem.public_tests == (TestCase("1\n2 3", "5"),)
    assert problem.hidden_tests == (TestCase("9" * 20_000 + "\n4", "6\n0.5"),)


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ([1, [2]], [1, [2]]),
        ('[1, 2]\n"a"', [[1, 2], "a"]),
        ("5\n", [5]),
        ('"a\u2028b\x85c"\n1', ["a\u2028b\x85c", 1]),
        ([{"1": "x", "-2": "y"}], [{1: "x", -2: "y"}]),
        ([{"a": 1, "2": 2}], [{"a": 1, "2": 2}]),
        ([{}], [{}]),
        ([HUGE_MARK], [HUGE]),
    ],
    ids=["list", "lines", "line", "separators", "integer keys", "text keys", "no keys", "huge"],
)
def test_taco_arguments_are_read_as_the_function_takes_them(
    given: Any, arguments: list[Any], load: Callable[..., Problem]
) -> None:
    text = call(inputs=[given, [1]], outputs=[[7], "x"]).replace(f'"{HUGE_MARK}"', "9" * 20_000)
    problem = load("taco", input_output=text, starter_code="class Solution:\n    def f(self, x):\n")
    assert arguments_of(problem) == [arguments, [1]]
    assert [values.loads(test.output or "") for test in problem.public_tests + problem.hidden_tests] == [[7], "x"]
    assert (problem.entry_point, problem.rule.comparison) == ("f", Comparison.VALUE)
    assert problem.starter_code.startswith("class Solution") and "import bisect" in problem.prelude


@pytest.mark.parametrize(
    ("index", "split", "case", "ignore_case", "any_number"),
    [
        (5, "test", 1, False, False),
        (20, "test", 2, True, False),
        (18, "test", 3, False, True),
        (382, "test", 0, False, False),
        (0, "test", None, False, False),
        (20, "train", None, False, False),
        (DELETED, "test", None, False, False),
    ],
)
def test_taco_special_judges_apply_where_the_index_in_the_test_split_is_known(
    index: Any, split: str, case: int | None, ignore_case: bool, any_number: bool, load: Callable[..., Problem]
) -> None:
    problem = load("taco", split, _index=index)
    assert problem.special_judge_case == case
    assert (problem.rule.ignore_case, problem.rule.any_number) == (ignore_case, any_number)
    assert (Flag.SPECIAL_JUDGE in problem.flags) is (case is not None)
    assert (Flag.MULTIPLE_ANSWERS in problem.flags) is (case == 1)


def test_taco_positions_are_indices_where_the_whole_split_is_there(
    write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    row = {key: value for key, value in good_row("taco").items() if key != "_index"}
    for count, case in ((1000, 1), (999, None)):
        write("taco", [row] * count)
        problem = load_problems("taco", data_dir=tmp_path).problems[5]
        assert (problem.id, problem.special_judge_case) == ("taco/5", case)


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({"input_output": ""}, (Flag.NO_HIDDEN_TESTS, Flag.INCOMPLETE)),
        ({"input_output": '{"inputs": ["1"], "outputs": ["1"]}'}, (Flag.NO_HIDDEN_TESTS,)),
        ({"_tests": "full-from-source-dataset"}, ()),
        ({"_tests": "examples-from-statement"}, (Flag.INCOMPLETE,)),
        ({"_format": "call"}, (Flag.INCOMPLETE,)),
        ({"question": "This problem is interactive."}, (Flag.INTERACTIVE,)),
    ],
)
def test_taco_flags_say_what_cannot_be_scored(
    changes: dict[str, Any], flags: tuple[Flag, ...], load: Callable[..., Problem]
) -> None:
    assert load("taco", **changes).flags == flags


def test_humaneval_completes_the_prompt_and_mbpp_starts_anew(load: Callable[..., Problem]) -> None:
    completion, fresh = load("humaneval_plus", atol=1e-4), load("mbpp_plus")
    assert completion.starter_code == "def f(x):\n" and completion.solutions == ("def f(x):\n    return x\n",)
    assert fresh.starter_code == "" and fresh.solutions == ("    return x\n",)
    assert (completion.rule.comparison, completion.rule.tolerance) == (Comparison.EVALPLUS, 1e-4)
    for problem in (completion, fresh):
        assert problem.public_tests == (TestCase("[1]", None),) and problem.hidden_tests == (TestCase("[2]", None),)
        assert problem.limits == Limits(4.0, 4 * 2**30)


@pytest.mark.parametrize(
    ("benchmark", "entry_point", "oracle", "flags"),
    [
        ("humaneval_plus", "find_zero", "polynomial_root", ()),
        ("mbpp_plus", "find_zero", "", ()),
        ("mbpp_plus", "check_str", "not_none", ()),
        ("mbpp_plus", "Diff", "same_set", ()),
        ("humaneval_plus", "Diff", "", ()),
        ("mbpp_plus", "are_equivalent", "anything", (Flag.MULTIPLE_ANSWERS,)),
    ],
)
def test_a_special_task_is_known_by_its_function(
    benchmark: str, entry_point: str, oracle: str, flags: tuple[Flag, ...], load: Callable[..., Problem]
) -> None:
    problem = load(benchmark, entry_point=entry_point)
    assert (problem.rule.oracle, problem.flags) == (oracle, flags)


def test_evalplus_arguments_keep_every_digit_and_special_float(load: Callable[..., Problem]) -> None:
    problem = load("mbpp_plus", base_input=[[HUGE_MARK, float("inf")]], plus_input=[])
    assert arguments_of(problem) == [[HUGE, float("inf")]]
    assert problem.flags == (Flag.NO_HIDDEN_TESTS,)


@pytest.mark.parametrize(
    ("number", "given", "meant"),
    [
        (2, [[3, 4], [5, 7]], [(3, 4), (5, 7)]),
        (3, [[3, [4]]], [[3, [4]]]),
        (63, [[[3, 5], [1, 7]]], [[(3, 5), (1, 7)]]),
        (75, [[[6, 24], [7, 9]], 6], [[(6, 24), (7, 9)], 6]),
        (106, [[5, 6], [9, 10]], [[5, 6], (9, 10)]),
        (115, [[[1, 2, 1], [], {}]], [[{1, 2}, {}, {}]]),
        (124, ["0.5", "1j"], [0.5, 1j]),
        (124, [1, 2], [1.0, 2 + 0j]),
        (252, ["1+2j"], [1 + 2j]),
        (252, [5], [5 + 0j]),
        (259, [[[1, 3], [4, 5]], [[6, 7], [3, 9]]], [((1, 3), (4, 5)), ((6, 7), (3, 9))]),
        (278, [[1, "ab", [2, [3]]]], [(1, "ab", (2, [3]))]),
        (307, [["HI", 5, [], True], 2, [50]], [("HI", 5, [], True), 2, [50]]),
        (580, [[4, [7, [2, []]]]], [(4, (7, (2, ())))]),
        (722, [{"A": [6.2, 70]}, 6.0, [70]], [{"A": (6.2, 70)}, 6.0, [70]]),
    ],
)
def test_mbpp_arguments_become_the_types_the_task_means(
    number: int, given: list[Any], meant: list[Any], load: Callable[..., Problem]
) -> None:
    problem = load("mbpp_plus", task_id=f"Mbpp/{number}", base_input=[given], plus_input=[given, given])
    assert [repr(arguments) for arguments in arguments_of(problem)] == 3 * [repr(meant)]


def test_a_gzip_file_of_several_members_is_read_whole(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    path = write("taco", [], "taco/test.jsonl.gz")
    lines = [json.dumps(good_row("taco", number)).encode() + b"\n" for number in range(2)]
    path.write_bytes(b"".join(map(gzip.compress, lines)))
    assert [problem.id for problem in load_problems("taco", data_dir=tmp_path).problems] == ["taco/0", "taco/1"]
