"""A benchmark is found where its files may stand, and what is missing is an error that says how to get it."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.catalog import BENCHMARKS, find_benchmark, load_problems
from turnwise.benchmarks.rows import RowError
from turnwise.errors import InfrastructureError, MissingExtraError, TurnwiseError

Write = Callable[..., Path]
GoodRow = Callable[..., dict[str, Any]]

REAL = ("codecontests", "taco", "humaneval_plus", "mbpp_plus")
PACKAGES = {"codecontests": "datasets", "taco": "datasets", "humaneval_plus": "evalplus", "mbpp_plus": "evalplus"}


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded by mistake: the packages that could are as if not installed."""
    for package in set(PACKAGES.values()):
        monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture
def write_parquet(tmp_path: Path) -> Callable[[str, list[dict[str, Any]]], Path]:
    """write_parquet(place, rows)"""
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

    def write_table(place: str, rows: list[dict[str, Any]]) -> Path:
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path

    return write_table


@pytest.mark.parametrize(
    ("benchmark", "split", "place"),
    [
        *[("codecontests", split, f"codecontests/{split}.jsonl.gz") for split in ("test", "valid", "train")],
        ("codecontests", "test", "codecontests/test.jsonl"),
        ("codecontests", "train", "codecontests/train_subset.jsonl.gz"),
        ("taco", "test", "taco/test.jsonl.gz"),
        ("taco", "train", "taco/train.jsonl"),
        *[
            (benchmark, "test", f"{benchmark.replace('_', '')}/{name}{ending}")
            for benchmark, stem in (("humaneval_plus", "HumanEvalPlus"), ("mbpp_plus", "MbppPlus"))
            for name in (stem, f"{stem}-v0.2.0")
            for ending in (".jsonl.gz", ".jsonl")
        ],
    ],
)
def test_lines_are_found_where_they_may_stand(
    benchmark: str, split: str, place: str, write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    path = write(benchmark, [good_row(benchmark, 0), good_row(benchmark, 1)], place)
    found = load_problems(benchmark, split=split, data_dir=tmp_path)
    assert (found.benchmark, found.split, found.source) == (benchmark, split, str(path))
    assert len(found.problems) == len(found.scorable) == 2
    assert all(problem.id.startswith(f"{benchmark}/") and problem.split == split for problem in found.problems)


@pytest.mark.parametrize(
    ("benchmark", "place"),
    [
        ("codecontests", "codecontests/test.parquet"),
        ("codecontests", "codecontests/test-00000-of-00001-abc.parquet"),
        ("codecontests", "codecontests/data/test-00000-of-00001.parquet"),
        ("taco", "taco/test.parquet"),
        ("taco", "taco/ALL/test-00000-of-00001.parquet"),
    ],
)
def test_parquet_is_found_where_it_may_stand_and_is_read_as_lines_are(
    benchmark: str, place: str, write: Write, write_parquet: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    rows = [good_row(benchmark, number) for number in range(3)]
    write_parquet(place, rows)
    from_parquet = load_problems(benchmark, data_dir=tmp_path).problems
    write(benchmark, rows, f"lines/{benchmark}/test.jsonl")
    assert from_parquet == load_problems(benchmark, data_dir=tmp_path / "lines").problems


def test_rows_are_numbered_on_from_shard_to_shard(write_parquet: Write, good_row: GoodRow, tmp_path: Path) -> None:
    rows = [{"question": "q", "input_output": good_row("taco")["input_output"]} for _ in range(70)]
    for shard in range(3):
        write_parquet(f"taco/ALL/test-0000{shard}-of-00003.parquet", rows)
    names = [problem.name for problem in load_problems("taco", data_dir=tmp_path).problems]
    assert names == [str(index) for index in range(210)]


@pytest.mark.parametrize("damaged", [False, True], ids=["broken row", "damaged file"])
def test_a_broken_row_of_a_later_shard_has_one_number_however_it_is_broken(
    damaged: bool, write_parquet: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write_parquet("taco/test-00000-of-00002.parquet", [good_row("taco", 0), good_row("taco", 1)])
    last = write_parquet("taco/test-00001-of-00002.parquet", [good_row("taco", 2, input_output="[")])
    if damaged:
        last.write_bytes(last.read_bytes()[:50])
    found = load_problems("taco", data_dir=tmp_path, on_error="skip")
    assert len(found.problems) == 2
    assert [str(error).split(":")[0] for error in found.broken_rows] == [f"{last.name} row 3"]


def test_turnwise_data_stands_in_for_data_dir_and_yields_to_it(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    write("taco", [good_row("taco", 0)], "one/taco/test.jsonl")
    write("taco", [good_row("taco", 1)], "two/taco/test.jsonl")
    environ = {"TURNWISE_DATA": str(tmp_path / "one"), "HUMANEVAL_OVERRIDE_PATH": "nowhere"}
    assert [p.id for p in load_problems("taco", environ=environ).problems] == ["taco/0"]
    given = load_problems("taco", data_dir=tmp_path / "two", environ=environ)
    assert [problem.id for problem in given.problems] == ["taco/1"]


@pytest.mark.parametrize(
    ("benchmark", "variable"), [("humaneval_plus", "HUMANEVAL_OVERRIDE_PATH"), ("mbpp_plus", "MBPP_OVERRIDE_PATH")]
)
def test_the_override_variables_of_evalplus_name_a_file(
    benchmark: str, variable: str, write: Write, good_row: GoodRow
) -> None:
    path = write(benchmark, [good_row(benchmark, 5)], "anywhere/mine.jsonl")
    assert load_problems(benchmark, environ={variable: str(path)}).source == str(path)
    with pytest.raises(TurnwiseError, match=f"^{variable} names .*, which is no file: unset it or mend it\\.$"):
        load_problems(benchmark, environ={variable: str(path) + "x"})


def test_the_digest_is_that_of_the_files_alone(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    for folder, number in (("a", 0), ("b", 0), ("c", 1)):
        write("taco", [good_row("taco", number)], f"{folder}/taco/test.jsonl")
    first, same, other = (load_problems("taco", data_dir=tmp_path / folder).digest for folder in "abc")
    assert first == same != other
    assert len(first) == 64


@pytest.mark.parametrize("benchmark", REAL)
def test_missing_data_are_an_error_that_says_what_to_do_and_never_the_sample(benchmark: str, tmp_path: Path) -> None:
    with pytest.raises(TurnwiseError, match="does not exist: give another --data-dir"):
        load_problems(benchmark, data_dir=tmp_path / "nowhere")
    with pytest.raises(
        TurnwiseError, match=r"put one of .*\.jsonl\.gz.* there, or leave out --data-dir and TURNWISE_DATA"
    ):
        load_problems(benchmark, data_dir=tmp_path)
    (tmp_path / BENCHMARKS[benchmark].folder).mkdir()
    with pytest.raises(TurnwiseError, match=f"No data of {benchmark}/test in "):
        load_problems(benchmark, environ={"TURNWISE_DATA": str(tmp_path)})


@pytest.mark.parametrize(("benchmark", "package"), PACKAGES.items())
def test_without_the_package_that_downloads_the_pip_line_is_given(benchmark: str, package: str) -> None:
    extra = {"datasets": "data", "evalplus": "evalplus"}[package]
    with pytest.raises(MissingExtraError) as caught:
        load_problems(benchmark)
    message = str(caught.value)
    assert f"needs the package {package}: run pip install 'turnwise[{extra}]'." in message
    assert "--data-dir" in message


def test_without_pyarrow_the_pip_line_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taco").mkdir()
    (tmp_path / "taco/test.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'turnwise\[data\]'"):
        load_problems("taco", data_dir=tmp_path)


class _Table(list[dict[str, Any]]):
    _fingerprint = "f00"


@pytest.mark.parametrize("benchmark", ["codecontests", "taco"])
def test_the_hub_is_asked_for_the_split_and_its_failure_is_the_machines(
    benchmark: str, good_row: GoodRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    hub: Any = types.ModuleType("datasets")

    def load_dataset(name: str, **options: Any) -> _Table:
        asked.append((name, options["split"], str(options.get("data_files", ""))))
        if len(asked) > 1:
            raise OSError("connection\nlost")
        return _Table([good_row(benchmark, 0)])

    hub.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", hub)
    found = load_problems(benchmark)
    assert (len(found.problems), found.digest) == (1, "f00")
    assert asked[0][:2] in {("deepmind/code_contests", "test"), ("parquet", "test")}
    assert ("ALL/test-*.parquet" in asked[0][2]) is (benchmark == "taco")
    with pytest.raises(InfrastructureError, match='could not be downloaded .*"connection".*--data-dir'):
        load_problems(benchmark)


def test_rows_whose_arguments_evalplus_has_converted_load_as_those_of_its_file(
    write: Write, good_row: GoodRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """evalplus.data.get_mbpp_plus returns tuples, sets and complex numbers, and tuples of arguments."""
    given = {2: [[3], [4]], 115: [[[1, 2], []]], 124: ["0.5", "1j"], 580: [[4, [5]]]}
    converted = {2: [(3,), (4,)], 115: [[{1, 2}, {}]], 124: (0.5, 1j), 580: ((4, (5,)),)}
    rows = [good_row("mbpp_plus", number - 900, base_input=[given[number]], plus_input=[]) for number in given]
    release: Any = types.ModuleType("evalplus.data")
    release.get_mbpp_plus = lambda: {
        row["task_id"]: {**row, "base_input": [converted[number]]} for number, row in zip(given, rows, strict=True)
    }
    release.get_mbpp_plus_hash = lambda: "f00"
    package: Any = types.ModuleType("evalplus")
    package.data = release
    monkeypatch.setitem(sys.modules, "evalplus", package)
    monkeypatch.setitem(sys.modules, "evalplus.data", release)
    write("mbpp_plus", rows)
    from_file = load_problems("mbpp_plus", data_dir=tmp_path)
    assert load_problems("mbpp_plus").problems == from_file.problems
    arguments = [values.loads(problem.public_tests[0].input) for problem in from_file.problems]
    assert arguments == [list(converted[number]) for number in given]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "humaneval"}, "Unknown benchmark 'humaneval': choose one of codecontests, taco, humaneval_plus"),
        ({"name": "taco", "split": "valid"}, "taco has no split 'valid': choose one of test, train."),
        ({"name": "taco", "difficulties": ["HARDER"]}, "has no difficulty 'HARDER'; TACO has EASY, MEDIUM,"),
        ({"name": "codecontests", "difficulties": ["EASY"]}, "codecontests has no difficulty 'EASY'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_known_ones(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TurnwiseError) as caught:
        load_problems(**options)
    assert message in str(caught.value)


def test_difficulties_keep_their_levels_and_say_when_there_is_none(
    write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    levels = ("EASY", "HARD", "EASY", "VERY_HARD")
    write("taco", [good_row("taco", number, difficulty=level) for number, level in enumerate(levels)])
    kept = load_problems("taco", data_dir=tmp_path, difficulties=["EASY", "HARD"]).problems
    assert [problem.name for problem in kept] == ["0", "1", "2"]
    with pytest.raises(TurnwiseError, match="no problem of difficulty MEDIUM: its rows say EASY, HARD, VERY_HARD"):
        load_problems("taco", data_dir=tmp_path, difficulties=["MEDIUM"])


def test_problems_that_cannot_be_scored_are_listed_and_left_out(
    write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write("taco", [good_row("taco", 0), good_row("taco", 1, input_output=""), good_row("taco", 2)])
    found = load_problems("taco", data_dir=tmp_path)
    assert [problem.id for problem in found.scorable] == ["taco/0", "taco/2"]
    assert len(found.problems) == 3


def test_a_problem_is_found_by_its_id_and_near_ones_are_named(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    write("codecontests", [good_row("codecontests", number) for number in (10, 11, 20)])
    found = load_problems("codecontests", data_dir=tmp_path)
    assert found.find("codecontests/11_A. Next") is found.problems[1]
    with pytest.raises(TurnwiseError, match=r"among the 3 of .*do you mean one of 'codecontests/20_A\. Next'\?"):
        found.find("codecontests/20")


@pytest.mark.parametrize(
    ("benchmark", "count"),
    [("sample_codecontests", 4), ("sample_taco", 4), ("sample_humaneval_plus", 3), ("sample_mbpp_plus", 3)],
)
def test_the_bundled_sample_loads_whole_whatever_the_data(benchmark: str, count: int, tmp_path: Path) -> None:
    found = load_problems(benchmark, data_dir=tmp_path / "nowhere", environ={"TURNWISE_DATA": "nowhere"})
    assert len(found.problems) == len(found.scorable) == count
    assert all(problem.id.startswith(f"{benchmark}/") for problem in found.problems)
    assert (found.source, found.broken_rows) == ("bundled sample", ())


def test_every_benchmark_has_a_sample_in_its_form() -> None:
    assert {name for name in BENCHMARKS if not find_benchmark(name).is_sample} == set(REAL)
    assert sorted(b.family for b in BENCHMARKS.values() if b.is_sample) == sorted(REAL)


@pytest.mark.data
@pytest.mark.parametrize(
    ("benchmark", "split", "problems", "scorable"),
    [
        ("codecontests", "test", 110, 91),
        ("codecontests", "train", 226, 224),
        ("taco", "test", 574, 57),
        ("humaneval_plus", "test", 98, 98),
        ("mbpp_plus", "test", 239, 239),
    ],
)
def test_the_full_data_load_without_a_broken_row(
    benchmark: str, split: str, problems: int, scorable: int, data_dir: Path
) -> None:
    try:
        found = load_problems(benchmark, split=split, data_dir=data_dir)
    except RowError as error:
        pytest.fail(str(error))
    assert (len(found.problems), len(found.scorable)) == (problems, scorable)
