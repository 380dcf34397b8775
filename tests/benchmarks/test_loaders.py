"""Rows of the four schemas become problems, and each broken row one sentence that says where and what."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.rows import RowError
from turnwise.records.problem import Comparison, Flag, Limits, Problem, TestCase

Write = Callable[..., Path]
GoodRow = Callable[..., dict[str, Any]]
Load = Callable[..., Problem]

CALLS = '{"fn_name": "add", "inputs": [[1], [5]], "outputs": [[2], [6]]}'
BENCHMARKS = ("codecontests", "taco", "humaneval_plus", "mbpp_plus")
NINES, HUGE = "9" * 20_000, 10**20_000 - 1
DELETED = "@DELETED"
EMPTY: dict[str, list[str]] = {"input": [], "output": []}
UNEQUAL = {"input": ["1", "2"], "output": ["1"]}


def call(**document: Any) -> str:
    """Return the input_output of a call-based TACO row."""
    text = json.dumps({"fn_name": "f", "inputs": [[1]], "outputs": [1], **document})
    return text.replace('"@HUGE"', NINES).replace('"@DEEP"', "[" * 300 + "]" * 300)


_EVALPLUS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("canonical_solution", "plus_input"), (DELETED, None, 5)),
    "task_id": (DELETED, None, 5, " "),
    "prompt": (DELETED, None, 5, "@HUGE"),
    "entry_point": (DELETED, None, 5, "", "f()"),
    "base_input": (DELETED, None, 5, [], [1], ["ab"]),
    "atol": ("0", None, -1, float("nan"), float("inf"), "@HUGE"),
}
# The values of one field that make a row broken.
BROKEN: dict[str, dict[str, tuple[Any, ...]]] = {
    "codecontests": {
        "name": (DELETED, None, 5, "", " ", "@HUGE"),
        "description": (DELETED, None, 5, ["@HUGE"]),
        "public_tests": (DELETED, None, 5, EMPTY, UNEQUAL, {"input": ["@HUGE"], "output": ["1"]}, {"input": ["1"]}),
        "private_tests": (DELETED, None, 5, UNEQUAL, {"input": [1], "output": ["1"]}),
        "generated_tests": (None, UNEQUAL),
        "cf_rating": ("high", "@HUGE"),
        "time_limit": ("soon", -1, 1e300, "@HUGE", {"seconds": "@HUGE", "nanos": 0}),
        "memory_limit_bytes": ("much", -1, True, 2**70, "@HUGE"),
        "input_file": ("../input.txt", "a\0b", ".."),
        "solutions": ([], {"language": [3], "solution": [5]}, {"language": [3, 3], "solution": ["one"]}),
    },
    "taco": {
        "question": (DELETED, None, 5),
        "input_output": (
            *(DELETED, None, 5, "[]", "null", '{"inputs": ["1', "[" * 10**5, '{"inputs": ["1"]}'),
            *('{"inputs": [], "outputs": []}', '{"inputs": "1", "outputs": "1"}', '{"inputs": ["1"], "outputs": []}'),
            f'{{"inputs": [{"[" * 900 + "]" * 900}], "outputs": ["1"]}}',
            *(
                call(fn_name=5),
                call(fn_name="f; import os"),
                call(fn_name="class"),
                call(inputs=[5]),
                call(inputs=["1\nx"]),
            ),
            *(call(inputs=[["@DEEP"]]), call(outputs=["@DEEP"])),
        ),
        "solutions": ("[", "5", '"print(1)"', {"a": 1}),
        "_index": ("1", 0.5, "@HUGE"),
        "time_limit": ("soon", "@HUGE"),
        "memory_limit": ("much", "@HUGE"),
    },
    "humaneval_plus": _EVALPLUS,
    "mbpp_plus": {**_EVALPLUS, "task_id": (*_EVALPLUS["task_id"], "Mbpp/two")},
}
_CHANGES = [
    (name, field, value) for name, fields in BROKEN.items() for field, broken in fields.items() for value in broken
]
_LINES = {
    **{'{"name": "A"': "JSON", "nul": "JSON", "[" * 10**5: "JSON", "\0\0\0\0": "JSON", '{"name": "\udcff"}': "utf-8"},
    **{"[1, 2]": "JSON list", "5": "JSON int", "{}": "is missing"},
}


def check_one_sentence(folder: Path, benchmark: str, *, where: str, words: list[str], kept: int) -> None:
    """Check that a row is refused in one sentence with one of the words, and left out with the same on request."""
    with pytest.raises(RowError) as caught:
        load_problems(benchmark, data_dir=folder)
    message = str(caught.value)
    assert message.startswith(where) and message.isprintable() and len(message) < 400
    assert any(word.lower() in message.lower() for word in words)
    assert message.endswith(". Mend the row, or leave it out with --skip-broken-rows.")
    found = load_problems(benchmark, data_dir=folder, on_error="skip")
    assert [str(error) for error in found.broken_rows] == [message]
    assert len(found.problems) == kept


@pytest.mark.parametrize(("benchmark", "field", "value"), _CHANGES, ids=lambda part: str(part)[-50:])
def test_a_broken_row_is_one_sentence_and_the_others_stay(
    benchmark: str, field: str, value: Any, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    broken = good_row(benchmark, 1, **{field: value})
    path = write(benchmark, [good_row(benchmark, 0), broken, good_row(benchmark, 2)])
    words = [word for word in field.split("_") if word]
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 2", words=words, kept=2)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
@pytest.mark.parametrize("line", _LINES, ids=lambda line: line[:10])
def test_a_line_that_is_no_row_is_one_sentence_and_the_others_stay(
    benchmark: str, line: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    lines = [good_row(benchmark, 0), b"", line.encode("utf-8", "surrogateescape"), good_row(benchmark, 2)]
    path = write(benchmark, lines)
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 3: ", words=[_LINES[line]], kept=2)


@pytest.mark.parametrize("name", ["two\nlines", "\ud800", "n" * 5000], ids=["lines", "surrogate", "long"])
def test_the_name_of_a_row_does_not_spoil_the_sentence(
    name: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write("codecontests", [good_row("codecontests", name=name, public_tests=EMPTY)])
    check_one_sentence(tmp_path, "codecontests", where="test.jsonl row 1", words=["public_tests"], kept=0)


@pytest.mark.parametrize(
    ("number", "given"),
    [(2, [5]), (115, [[[[1]]]]), (124, ["@HUGE", 1]), (252, ["1+x"]), (252, ["@HUGE"]), (722, [[1]])],
)
def test_arguments_that_mbpp_cannot_convert_are_one_sentence(
    number: int, given: list[Any], write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write("mbpp_plus", [good_row("mbpp_plus", number - 900, base_input=[given])])
    check_one_sentence(tmp_path, "mbpp_plus", where="MbppPlus.jsonl row 1", words=["input"], kept=0)


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_problem_that_stands_twice_is_refused_the_second_time(
    benchmark: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    path = write(benchmark, [good_row(benchmark, number) for number in (0, 1, 0)])
    check_one_sentence(tmp_path, benchmark, where=f"{path.name} row 3", words=[f"{path.name} row 1"], kept=2)


def test_a_truncated_gzip_keeps_the_rows_before_the_cut(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    noise = random.Random(0)
    rows = [good_row("codecontests", number, description=noise.randbytes(50_000).hex()) for number in range(3)]
    path = write("codecontests", rows, "codecontests/test.jsonl.gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    check_one_sentence(tmp_path, "codecontests", where="test.jsonl.gz row 2: ", words=["cut off"], kept=1)
    path.write_bytes(b"plain text\n")
    check_one_sentence(tmp_path, "codecontests", where="test.jsonl.gz row 1: ", words=["damaged"], kept=0)


@pytest.mark.parametrize("damage", ["cut", "empty", "garbled", "invalid UTF-8"])
def test_a_damaged_parquet_file_is_one_sentence(damage: str, write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    """Invalid UTF-8 costs its own row alone; otherwise nothing of the file is left."""
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    path = write("codecontests", [], "codecontests/test.parquet")
    table = pyarrow.Table.from_pylist([good_row("codecontests", number) for number in range(3)])
    names = pyarrow.array([b"A", b"\xff", b"B"], pyarrow.binary()).view(pyarrow.string())
    is_text = damage == "invalid UTF-8"
    parquet.write_table(table.set_column(0, "name", names) if is_text else table, path)
    data = path.read_bytes()
    damaged = {"cut": data[: len(data) // 2], "empty": b"", "garbled": data[:10] + b"\xff" * 190 + data[200:]}
    path.write_bytes(damaged.get(damage, data))
    where = f"test.parquet row {2 if is_text else 1}"
    check_one_sentence(tmp_path, "codecontests", where=where, words=["damaged", "utf-8"], kept=2 if is_text else 0)


@pytest.fixture
def load(write: Write, good_row: GoodRow, tmp_path: Path) -> Load:
    """load(benchmark, split="test", **changed fields) loads one row."""

    def load_one(benchmark: str, split: str = "test", **changes: Any) -> Problem:
        write(benchmark, [good_row(benchmark, 1, **changes)], f"taco/{split}.jsonl" if benchmark == "taco" else "")
        (problem,) = load_problems(benchmark, split=split, data_dir=tmp_path).problems
        return problem

    return load_one


def test_codecontests_hides_private_and_generated_tests(load: Load) -> None:
    solutions = {"language": [1, 3, 2, 3], "solution": ["two", "three", "c++", "also three"]}
    problem = load("codecontests", input_file="in.txt", output_file="stdout", cf_rating=1500, solutions=solutions)
    assert (problem.id, problem.flags, problem.entry_point) == ("codecontests/1_A. Next", (), "")
    assert problem.public_tests == (TestCase("1\n", "2\n"),)
    assert problem.hidden_tests == (TestCase("3\n", "4\n"), TestCase("5\n", "6\n"))
    assert (problem.limits, problem.rule.ignore_case) == (Limits(2.0, 256_000_000), True)
    assert (problem.input_file, problem.output_file) == ("in.txt", "")
    assert (problem.difficulty, problem.solutions) == ("1500", ("three", "also three"))


@pytest.mark.parametrize(
    ("time_limit", "memory_limit", "limits"),
    [
        (None, 0, Limits(10.0, 2**30)),
        (DELETED, DELETED, Limits(10.0, 2**30)),
        ({"seconds": 0, "nanos": 500_000_000}, 64_000_000, Limits(0.5, 64_000_000)),
        ("3 seconds", "64 megabytes", Limits(3.0, 64_000_000)),
    ],
)
def test_limits_are_the_rows_or_ten_seconds_and_a_gibibyte(
    time_limit: Any, memory_limit: Any, limits: Limits, load: Load
) -> None:
    assert load("codecontests", time_limit=time_limit, memory_limit_bytes=memory_limit).limits == limits
    assert load("taco", time_limit=time_limit, memory_limit=memory_limit).limits == limits


@pytest.mark.parametrize(
    ("benchmark", "changes", "flags"),
    [
        ("codecontests", {"private_tests": EMPTY}, ()),
        ("codecontests", {"private_tests": EMPTY, "generated_tests": EMPTY}, (Flag.NO_HIDDEN_TESTS,)),
        ("codecontests", {"name": "1599_H. Hidden Fortress"}, (Flag.INTERACTIVE,)),
        ("codecontests", {"name": "1599_H2. Another"}, ()),
        ("codecontests", {"cf_tags": ["interactive"]}, (Flag.INTERACTIVE,)),
        ("codecontests", {"description": "This is an interactive problem."}, (Flag.INTERACTIVE,)),
        (
            "codecontests",
            {"description": "If there are many, print any of them."},
            (Flag.MULTIPLE_ANSWERS, Flag.GUESSED_KIND),
        ),
        ("codecontests", {"name": "1618_E. Singers' Tour", "description": "Print any of them."}, ()),
        ("taco", {"input_output": ""}, (Flag.NO_HIDDEN_TESTS, Flag.INCOMPLETE)),
        ("taco", {"input_output": '{"inputs": ["1"], "outputs": ["1"]}'}, (Flag.NO_HIDDEN_TESTS,)),
        ("taco", {"_tests": "full-from-source-dataset"}, ()),
        ("taco", {"_tests": "examples-from-statement"}, (Flag.INCOMPLETE,)),
        ("taco", {"_format": "call"}, (Flag.INCOMPLETE,)),
        ("taco", {"starter_code": "class Solution:\n    def add(self, a):\n"}, (Flag.CONTRADICTORY,)),
        ("taco", {"starter_code": "def add(a):\n"}, (Flag.CONTRADICTORY,)),
        ("taco", {"starter_code": "# read two numbers\n"}, ()),
        ("taco", {"starter_code": "def other(a):\n", "input_output": CALLS}, (Flag.CONTRADICTORY,)),
        ("taco", {"starter_code": "class Solution:\n    def add(self, a):\n", "input_output": CALLS}, ()),
        ("taco", {"input_output": CALLS.replace("[2]", "null").replace("[6]", "null")}, (Flag.CONTRADICTORY,)),
        ("taco", {"input_output": CALLS.replace("[6]", "null")}, ()),
        ("taco", {"input_output": '{"inputs": ["1", "2"], "outputs": [null, null]}'}, (Flag.CONTRADICTORY,)),
        ("taco", {"input_output": '{"inputs": ["1", "2"], "outputs": ["1", [null]]}'}, (Flag.CONTRADICTORY,)),
        ("taco", {"input_output": '{"inputs": ["1", {"a": 2}], "outputs": ["1", "2"]}'}, (Flag.CONTRADICTORY,)),
        ("taco", {"question": "This problem is interactive."}, (Flag.INTERACTIVE,)),
        ("mbpp_plus", {"plus_input": []}, (Flag.BASE_TESTS_ONLY,)),
        ("mbpp_plus", {"plus_input": {}}, (Flag.BASE_TESTS_ONLY,)),
        ("humaneval_plus", {"plus_input": {}}, (Flag.BASE_TESTS_ONLY,)),
        ("mbpp_plus", {"entry_point": "are_equivalent"}, (Flag.MULTIPLE_ANSWERS,)),
    ],
)
def test_flags_say_what_a_reader_of_scores_has_to_know(
    benchmark: str, changes: dict[str, Any], flags: tuple[Flag, ...], load: Load
) -> None:
    assert load(benchmark, **changes).flags == flags


def test_taco_shows_the_first_test_and_hides_the_rest_written_as_text(load: Load) -> None:
    tests = '{"inputs": [["1", "2 3"], [@HUGE, [4]], "5"], "outputs": [5, ["6", 0.5], @HUGE]}'.replace("@HUGE", NINES)
    problem = load("taco", input_output=tests, solutions='["print(1)"]')
    assert (problem.id, problem.rule.comparison, problem.rule.ignore_case) == ("taco/1", Comparison.TEXT, False)
    assert (problem.difficulty, problem.solutions) == ("UNKNOWN_DIFFICULTY", ("print(1)",))
    assert problem.public_tests == (TestCase("1\n2 3", "5"),)
    assert problem.hidden_tests == (TestCase(f"{NINES}\n4", "6\n0.5"), TestCase("5", NINES))


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ([1, [2]], [1, [2]]),
        ('[1, 2]\n"a"', [[1, 2], "a"]),
        ("5\n", [5]),
        ('"a\u2028b\x85c"\n1', ["a\u2028b\x85c", 1]),
        ([{"1": "x", "-2": "y"}], [{1: "x", -2: "y"}]),
        ([{"a": 1, "2": 2}, {}], [{"a": 1, "2": 2}, {}]),
        (["@HUGE"], [HUGE]),
    ],
    ids=["list", "lines", "line", "separators", "integer keys", "text keys", "huge"],
)
def test_taco_arguments_are_read_as_the_function_takes_them(given: Any, arguments: list[Any], load: Load) -> None:
    starter = "class Solution:\n    def f(self, x):\n"
    problem = load("taco", input_output=call(inputs=[given, [1]], outputs=[[7], 5]), starter_code=starter)
    tests = problem.public_tests + problem.hidden_tests
    assert [values.loads(test.input) for test in tests] == [arguments, [1]]
    assert [values.loads(test.output or "") for test in tests] == [[7], 5]
    assert (problem.entry_point, problem.rule.comparison) == ("f", Comparison.VALUE)
    assert problem.starter_code == starter and "import bisect" in problem.prelude


@pytest.mark.parametrize(
    ("index", "split", "case", "ignore_case", "any_number"),
    [
        *[(5, "test", 1, False, False), (20, "test", 2, True, False), (18, "test", 3, False, True)],
        *[(382, "test", 0, False, False), (0, "test", None, False, False), (20, "train", None, False, False)],
        (DELETED, "test", None, False, False),
    ],
)
def test_taco_special_judges_apply_where_the_index_in_the_test_split_is_known(
    index: Any, split: str, case: int | None, ignore_case: bool, any_number: bool, load: Load
) -> None:
    problem = load("taco", split, _index=index)
    assert problem.special_judge_case == case
    assert (problem.rule.ignore_case, problem.rule.any_number) == (ignore_case, any_number)
    assert (Flag.SPECIAL_JUDGE in problem.flags) is (case is not None)
    assert (Flag.MULTIPLE_ANSWERS in problem.flags) is (case == 1)


@pytest.mark.parametrize(("rows", "case"), [(1000, 1), (999, None)])
def test_taco_positions_are_indices_where_the_whole_split_is_there(
    rows: int, case: int | None, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write("taco", [good_row("taco", _index=DELETED)] * rows)
    problem = load_problems("taco", data_dir=tmp_path).problems[5]
    assert (problem.id, problem.special_judge_case) == ("taco/5", case)


def test_humaneval_completes_the_prompt_and_mbpp_starts_anew(load: Load) -> None:
    completion, fresh = load("humaneval_plus", atol=1e-4), load("mbpp_plus", atol=1e-4)
    assert (completion.starter_code, completion.solutions) == ("def f(x):\n", ("def f(x):\n    return x\n",))
    assert (fresh.starter_code, fresh.solutions) == ("", ("def f(x):\n    return x\n",))
    for problem in (completion, fresh):
        assert (problem.rule.comparison, problem.rule.tolerance) == (Comparison.EVALPLUS, 1e-4)
        assert problem.public_tests + problem.hidden_tests == (TestCase("[1]", None), TestCase("[2]", None))
        assert problem.limits == Limits(4.0, 4 * 2**30)


@pytest.mark.parametrize(
    ("entry_point", "humaneval", "mbpp"), [("find_zero", "polynomial_root", ""), ("Diff", "", "same_set")]
)
def test_a_special_task_is_known_by_its_function(entry_point: str, humaneval: str, mbpp: str, load: Load) -> None:
    assert load("humaneval_plus", entry_point=entry_point).rule.oracle == humaneval
    assert load("mbpp_plus", entry_point=entry_point).rule.oracle == mbpp


@pytest.mark.parametrize(
    ("number", "given", "meant"),
    [
        (2, [[3, 4], [5, 7]], [(3, 4), (5, 7)]),
        (3, [[3, [4]], "@HUGE"], [[3, [4]], HUGE]),
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
    ids=lambda part: str(part) if isinstance(part, int) else "",
)
def test_mbpp_arguments_become_the_types_the_task_means(
    number: int, given: list[Any], meant: list[Any], load: Load
) -> None:
    problem = load("mbpp_plus", task_id=f"Mbpp/{number}", base_input=[given], plus_input=[given, given])
    inputs = [test.input for test in problem.public_tests + problem.hidden_tests]
    assert inputs == [values.dumps(meant)] * 3
