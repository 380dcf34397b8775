"""Benchmarks of the user's own: JSON lines, Python files, installed ones; what is wrong with one is one sentence."""

import gzip
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.catalog import BENCHMARKS, load_problems
from turnwise.benchmarks.own import find_benchmarks
from turnwise.benchmarks.values import loads
from turnwise.errors import TurnwiseError
from turnwise.tasks.catalog import TASKS, find_tasks

NEXT: dict[str, Any] = {
    "name": "next",
    "statement": "Print the next number.",
    "public_tests": [{"input": "1\n", "output": "2\n"}],
    "hidden_tests": [{"input": "4\n", "output": "5\n"}],
}
DEEP: Any = json.loads("[" * 200 + "]" * 200)
ADD: dict[str, Any] = {
    "name": "add",
    "statement": "Add two numbers.",
    "entry_point": "add",
    "starter_code": "def add(a, b):\n",
    "public_tests": [{"input": [1, [2]], "output": {"a": None}}],
    "hidden_tests": [{"input": [], "output": None}],
}
PYTHON = """
from turnwise.benchmarks.benchmark import Benchmark, Split, Stem
from turnwise.benchmarks.rows import Row
from turnwise.records.problem import Problem, TestCase

def parse(row, split):
    test = TestCase(row.data["given"], "2")
    return Problem(id=split.problem_id(row.data["name"]), benchmark=split.benchmark, split=split.name,
                   statement="s", public_tests=(test,), hidden_tests=(test,))

def rows(split):
    return [{"name": "a", "given": "1"}, {"name": "b", "given": "1"}]

BENCHMARK = Benchmark(name="toy", parse=parse, rows=rows)
"""
Write = Callable[..., str]


@pytest.fixture
def toy(tmp_path: Path) -> Write:
    """toy(rows or text, name="toy.jsonl") writes a benchmark and returns its path."""

    def write(content: list[dict[str, Any]] | str, name: str = "toy.jsonl") -> str:
        text = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
        data = text.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)

    return write


def load(path: str, **options: Any) -> Any:
    """Return the problems of the benchmark toy that ``path`` is, and of nothing built in."""
    return load_problems(find_benchmarks(path)["toy"], **options)


@pytest.mark.parametrize("name", ["toy.jsonl", "toy.jsonl.gz"])
def test_json_lines_are_a_benchmark_of_the_files_name(toy: Write, name: str) -> None:
    """With two tasks, problems for programs and functions, the limits and flags of others, and the file's digest."""
    more = {"time_limit_seconds": 2.5, "memory_limit_bytes": 2**26, "difficulty": "hard", "solutions": ["print(1)"]}
    rows = [{**NEXT, **more, "tolerance": 0.01}, ADD, {**NEXT, "name": "open", "hidden_tests": []}]
    path = toy(rows, name)
    first, second, third = load(path).problems
    assert (first.id, first.benchmark, first.split, first.difficulty) == ("toy/next", "toy", "test", "hard")
    assert (first.limits.time_limit_seconds, first.limits.memory_limit_bytes) == (2.5, 2**26)
    assert (first.rule.tolerance, first.solutions, first.flags) == (0.01, ("print(1)",), ())
    assert (first.public_tests[0].input, first.hidden_tests[0].output) == ("1\n", "5\n")
    assert (second.entry_point, loads(second.public_tests[0].input)) == ("add", [1, [2]])
    assert loads(str(second.public_tests[0].output)) == {"a": None}
    assert [one.is_scorable for one in (first, second, third)] == [True, True, False]
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert {one.benchmark_sha256 for one in (first, second, third)} == {digest}
    names = [task.name for task in find_tasks("toy_*", find_benchmarks(path))]
    assert names == ["toy_multiturn", "toy_singleturn"] and not set(names) & set(TASKS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"difficult": "x"}, "toy.jsonl row 1 (next): field 'difficult' is unknown: a row has name, statement, public"),
        ({"public_tests": [{"input": "", "output": "", "x": 1}]}, "field 'public_tests.0.x' is unknown: a row has"),
        ({"public_tests": [{"input": "1"}]}, "field 'public_tests.0.output' is missing. Mend the row, or leave it"),
        ({"hidden_tests": None}, "field 'hidden_tests' is NoneType None"),
        ({"statement": ""}, "field 'statement' is empty"),
        ({"public_tests": []}, "field 'public_tests' is empty"),
        ({"hidden_tests": [{"input": [1], "output": ""}]}, "field 'hidden_tests.0.input' is [1], not a text"),
        ({"entry_point": "f"}, "field 'public_tests.0.input' is '1\\n', not the list of arguments"),
        (
            {"entry_point": "f", "public_tests": [{"input": [DEEP], "output": 1}]},
            "field 'public_tests.0' cannot be used (value nested deeper than 100 levels)",
        ),
        ({"entry_point": "class"}, "field 'entry_point' is 'class', not the name of a function"),
        ({"starter_code": "def f():"}, "field 'starter_code' is there and 'entry_point'"),
        ({"time_limit_seconds": -1}, "time limit -1.0 is not a number >= 0"),
        ({"time_limit_seconds": "2 s"}, "field 'time_limit_seconds' is str '2 s'"),
        ({"tolerance": 2}, "field 'tolerance' is int 2"),
        ({"solutions": "print(1)"}, "field 'solutions' is str 'print(1)'"),
    ],
)
def test_a_field_that_cannot_be_is_refused(toy: Write, change: dict[str, Any], message: str) -> None:
    """With the file, the row, the field and what to do."""
    path = toy([{**NEXT, **change}, {**NEXT, "name": "right"}])
    with pytest.raises(TurnwiseError) as caught:
        load(path)
    assert message in str(caught.value)
    assert [one.name for one in load(path, on_error="skip").problems] == ["right"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("Toy.jsonl", "", "has the name 'Toy': rename the file; a name is a small letter and"),
        ("2x.jsonl", "", "has the name '2x'"),
        ("taco.jsonl", "", "has the name 'taco', and 'taco' is a built-in one: rename the file."),
        ("taco_easy.jsonl", "", "and 'taco_easy_multiturn' is a built-in one"),
        (
            "toy.txt",
            "",
            "give a .jsonl, .jsonl.gz or .py file, or the name of an installed benchmark (none is installed",
        ),
        ("x.py", "import nothing_of_this_name", "does not load (line 1: ModuleNotFoundError: No module named 'nothing"),
        ("x.py", "def f(:", "does not load (SyntaxError: invalid syntax (x.py, line 1)): mend it, or leave it out."),
        ("x.py", "\n\nraise KeyError('a\\nb')", r"does not load (line 3: KeyError: 'a\nb'): mend it"),
        ("x.py", "import sys; sys.exit(0)", "does not load (line 1: SystemExit: 0)"),
        ("x.py", "\0", "does not load (SyntaxError: source code string cannot contain null bytes)"),
        ("x.py", "BENCHMARK = 1", "does not load (it defines no BENCHMARK = Benchmark(...))"),
        ("x.py", PYTHON.replace('name="toy"', 'name="mbpp_plus"'), "'mbpp_plus' is a built-in one"),
        ("x.py", PYTHON.replace(", rows=rows", ""), "it says neither path, rows, patterns nor hub"),
        ("x.py", PYTHON.replace(", rows=rows", ", rows=rows, splits='test'"), "its splits are 'test', not a tuple"),
        ("x.py", PYTHON.replace(", rows=rows", ", rows=rows, stems=(Stem('y'),)"), "its stem 'y' does not begin with"),
        ("x.py", PYTHON.replace("rows=rows", "patterns=('{x}',)"), "its patterns are ('{x}',), not names of files"),
        ("x.py", PYTHON.replace("rows=rows", "patterns=('/x',)"), "its patterns are ('/x',), not names of files"),
        ("x.py", PYTHON.replace("rows=rows", "path='x'"), "its path is 'x', not a Path"),
        ("x.py", PYTHON.replace("parse=parse", "parse=1"), "its parse is 1, no function"),
    ],
)
def test_a_file_that_is_no_benchmark_is_refused(toy: Write, name: str, content: str, message: str) -> None:
    """With its name, the reason on one line and what to do."""
    path = toy(content, name)
    with pytest.raises(TurnwiseError) as caught:
        find_benchmarks(path)
    assert message in str(caught.value) and path in str(caught.value) and "\n" not in str(caught.value)


def test_a_python_file_says_its_rows_and_how_one_is_read(toy: Write) -> None:
    """What it holds is loaded as it is hashed: nothing is left beside it, and nothing built in is changed."""
    path = toy(PYTHON, "any.py")
    found = load(path)
    assert [one.id for one in found.problems] == ["toy/a", "toy/b"] and found.source == "any.py"
    assert found.problems[0].benchmark_sha256 == hashlib.sha256(PYTHON.encode()).hexdigest()
    assert load(path).digest == found.digest and [one.name for one in Path(path).parent.iterdir()] == ["any.py"]
    assert "toy" not in BENCHMARKS and "toy_multiturn" not in TASKS


def test_its_files_are_found_below_the_data_dir(toy: Write, tmp_path: Path) -> None:
    """As those of a built-in benchmark, and without them the sentence says what to give."""
    path = toy(PYTHON.replace("rows=rows", 'folder="mine", patterns=("{split}.jsonl",)'), "any.py")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "test.jsonl").write_text('{"name": "c", "given": "3"}\n')
    assert [one.id for one in load(path, data_dir=tmp_path).problems] == ["toy/c"]
    with pytest.raises(TurnwiseError, match="toy is on no hub: give its files with --data-dir, or set TURNWISE_DATA"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('data["given"]', 'data["gives"]', "any.py row 1 (a): parse of PATH fails (KeyError: 'gives'). Mend the row"),
        ("    return Problem(", "    return 3 or Problem(", "parse of PATH returns 3, not a Problem"),
        ("problem_id(", "name + str(", "parse of PATH makes 'testa', no problem of toy"),
        ("public_tests=(test,)", "public_tests=()", "parse of PATH makes a problem without public tests"),
        (
            'statement="s"',
            "statement=3",
            "parse of PATH makes a problem that is none (statement: input should be a valid",
        ),
        ("public_tests=(test,)", "public_tests='x'", "parse of PATH makes a problem that is none ("),
        ("rows=rows", "hub=lambda name, split: 1 / 0", "makes no rows (ZeroDivisionError: division by zero)"),
        ('"given"], "2")', '"given"], None)', "parse of PATH makes a test without an output, and no solution"),
        ('return [{"name": "a"', 'return [{"name": {1}', "makes no rows (TypeError: Object of type set is not JSON"),
        ("    return [", "    1 / 0; return [", "makes no rows (ZeroDivisionError: division by zero)"),
    ],
)
def test_what_its_functions_raise_or_return_is_one_sentence(toy: Write, old: str, new: str, message: str) -> None:
    """It names the file, and the row where there is one."""
    path = toy(PYTHON.replace(old, new), "any.py")
    with pytest.raises(TurnwiseError) as caught:
        load(path)
    assert message.replace("PATH", path)[:80] in str(caught.value) and "\n" not in str(caught.value)


def test_a_problem_without_hidden_tests_is_never_scored(toy: Write) -> None:
    """Whether the file flags it or forgets to."""
    path = toy(PYTHON.replace("hidden_tests=(test,)", "hidden_tests=()"), "any.py")
    assert not load(path).scorable


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """installed(source, **entry points) puts a package on the path that offers them; its import leaves a mark."""

    def install(source: str, **points: str) -> Path:
        folder, mark = tmp_path / "site", tmp_path / "mark"
        (folder / "toys-1.dist-info").mkdir(parents=True)
        (folder / "toys-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
        lines = "".join(f"{name} = {value}\n" for name, value in points.items())
        (folder / "toys-1.dist-info" / "entry_points.txt").write_text(f"[turnwise.benchmarks]\n{lines}")
        (folder / "toys_of_a_test.py").write_text(f"open({str(mark)!r}, 'w').close()\n{source}")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, "toys_of_a_test", raising=False)
        return mark

    return install


def test_an_installed_benchmark_is_loaded_only_where_its_name_is_asked_for(installed: Callable[..., Path]) -> None:
    """Not for tasks of others and not for globs that mean all; for its tasks, or by its own name."""
    mark = installed(f"{PYTHON}\ndef made():\n    return BENCHMARK", toy="toys_of_a_test:made")
    for tasks in ("", "*", "*_multiturn", "?oy_multiturn", "taco_multiturn", "taco_none", "to_multiturn", "toyx_y"):
        assert find_benchmarks(tasks=tasks) == BENCHMARKS
    assert not mark.exists()
    found = find_benchmarks(tasks="taco_multiturn,toy_multiturn")["toy"]
    assert mark.exists() and found.sha256 and find_benchmarks("toy")["toy"] == found
    assert find_benchmarks(tasks="toy_*")["toy"] == found


def test_of_two_installed_ones_the_spelt_out_one_is_loaded(installed: Callable[..., Path]) -> None:
    """toy_hard_multiturn is a task of toy_hard, and what is wrong with toy is nobody's business."""
    installed(PYTHON.replace('"toy"', '"toy_hard"'), toy="no_such_module:x", toy_hard="toys_of_a_test:BENCHMARK")
    assert [*find_benchmarks(tasks="toy_hard_multiturn")][-1] == "toy_hard"
    with pytest.raises(TurnwiseError, match="ModuleNotFoundError"):
        find_benchmarks(tasks="toy_hard_*")


@pytest.mark.parametrize(
    ("source", "point", "message"),
    [
        ("raise ValueError('no')", "toys_of_a_test:made", "'toy (toys_of_a_test:made)' does not load (ValueError: no)"),
        ("", "toys_of_a_test:made", "does not load (AttributeError: module 'toys_of_a_test' has no attribute 'made')"),
        ("made = 3", "toys_of_a_test:made", "does not load (TypeError: 'int' object is not callable)"),
        ("made = dict", "toys_of_a_test:made", "does not load (it is {}, not the Benchmark of its name)"),
        (
            PYTHON.replace('"toy"', '"other"'),
            "toys_of_a_test:BENCHMARK",
            "(it is 'other', not the Benchmark of its name)",
        ),
    ],
)
def test_an_installed_one_that_does_not_load_is_refused(
    installed: Callable[..., Path], source: str, point: str, message: str
) -> None:
    """With its name and the reason."""
    installed(source, toy=point)
    with pytest.raises(TurnwiseError) as caught:
        find_benchmarks(tasks="toy_multiturn")
    assert message in str(caught.value) and str(caught.value).endswith(": mend it, or leave it out.")
