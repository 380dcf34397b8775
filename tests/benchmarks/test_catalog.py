"""A benchmark is found where its files may stand, and what is missing is an error that says how to get it."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks import values
from turnwise.benchmarks.catalog import BENCHMARKS, load_problems
from turnwise.errors import InfrastructureError, MissingExtraError, TurnwiseError

Write = Callable[..., Path]
GoodRow = Callable[..., dict[str, Any]]

PACKAGES = {
    **dict.fromkeys(("codecontests", "taco"), "huggingface_hub"),
    **dict.fromkeys(("humaneval_plus", "mbpp_plus"), "evalplus"),
}


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is downloaded by mistake: the packages that could are as if not installed."""
    for package in set(PACKAGES.values()):
        monkeypatch.setitem(sys.modules, package, None)


@pytest.fixture
def write_parquet(write: Write) -> Write:
    """write_parquet(rows, place)"""
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")

    def write_table(rows: list[dict[str, Any]], place: str) -> Path:
        path = write("", [], place)
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path

    return write_table


@pytest.mark.parametrize(
    ("benchmark", "split", "place"),
    [
        *[("codecontests", split, f"codecontests/{split}.jsonl.gz") for split in ("test", "valid", "train")],
        *[("codecontests", "test", f"codecontests/test.{ending}") for ending in ("jsonl", "parquet")],
        ("codecontests", "test", "codecontests/test-00000-of-00001-abc.parquet"),
        ("codecontests", "train", "codecontests/data/train-00000-of-00001.parquet"),
        ("codecontests", "train", "codecontests/train_subset.jsonl.gz"),
        *[("taco", "test", f"taco/test.{ending}") for ending in ("jsonl.gz", "parquet")],
        *[("taco", split, f"taco/ALL/{split}-00000-of-00001.parquet") for split in ("test", "train")],
        ("humaneval_plus", "test", "humanevalplus/HumanEvalPlus.jsonl.gz"),
        ("humaneval_plus", "test", "humanevalplus/HumanEvalPlus-v0.1.10.jsonl"),
        ("mbpp_plus", "test", "mbppplus/MbppPlus.jsonl.gz"),
        ("mbpp_plus", "test", "mbppplus/MbppPlus-v0.2.0.jsonl.gz"),
    ],
)
def test_a_split_is_found_wherever_it_may_stand_and_read_alike(
    benchmark: str, split: str, place: str, write: Write, write_parquet: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    rows = [good_row(benchmark, number) for number in range(3)]
    path = write_parquet(rows, place) if place.endswith("parquet") else write(benchmark, rows, place)
    found = load_problems(benchmark, split=split, data_dir=tmp_path)
    assert (found.benchmark, found.split, found.source, len(found.digest)) == (benchmark, split, str(path), 64)
    names = [row.get("name") or row.get("task_id") or str(row["_index"]) for row in rows]
    # TACO's splits both count from 0: an id of test problem 0, or its checker, is not that of train problem 0.
    prefix = "taco/train" if (benchmark, split) == ("taco", "train") else benchmark
    assert [problem.id for problem in found.scorable] == [f"{prefix}/{name}" for name in names]
    assert len({problem.public_tests for problem in found.problems}) == 1


def test_rows_are_numbered_on_from_shard_to_shard(write_parquet: Write, good_row: GoodRow, tmp_path: Path) -> None:
    for shard in range(3):
        write_parquet([good_row("taco", _index="@DELETED")] * 70, f"taco/ALL/test-0000{shard}-of-00003.parquet")
    names = [problem.name for problem in load_problems("taco", data_dir=tmp_path).problems]
    assert names == [str(index) for index in range(210)]


@pytest.mark.parametrize("damaged", [False, True], ids=["broken row", "damaged file"])
def test_a_row_of_a_later_shard_is_numbered_in_its_own_file_however_it_is_broken(
    damaged: bool, write_parquet: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write_parquet([good_row("taco", 0), good_row("taco", 1)], "taco/test-00000-of-00002.parquet")
    last = write_parquet([good_row("taco", 2, input_output="[")], "taco/test-00001-of-00002.parquet")
    if damaged:
        last.write_bytes(last.read_bytes()[:50])
    found = load_problems("taco", data_dir=tmp_path, on_error="skip")
    assert len(found.problems) == 2
    assert [str(error).split(":")[0] for error in found.broken_rows] == [f"{last.name} row 1"]


def test_a_shard_that_is_missing_is_named(write_parquet: Write, good_row: GoodRow, tmp_path: Path) -> None:
    write_parquet([good_row("taco", 0)], "taco/ALL/test-00000-of-00002.parquet")
    with pytest.raises(TurnwiseError, match=r"^Of the 2 files like 'test-00000-of-00002.parquet' 1 stand in '.*ALL'"):
        load_problems("taco", data_dir=tmp_path)


def test_turnwise_data_stands_in_for_data_dir_and_yields_to_it(write: Write, good_row: GoodRow, tmp_path: Path) -> None:
    write("humaneval_plus", [good_row("humaneval_plus", 0)], "one/humanevalplus/HumanEvalPlus.jsonl")
    write("humaneval_plus", [good_row("humaneval_plus", 1)], "two/humanevalplus/HumanEvalPlus.jsonl")
    environ = {"TURNWISE_DATA": str(tmp_path / "one"), "HUMANEVAL_OVERRIDE_PATH": "nowhere"}
    for data_dir, name in ((None, "HumanEval/0"), (tmp_path / "two", "HumanEval/1")):
        (problem,) = load_problems("humaneval_plus", data_dir=data_dir, environ=environ).problems
        assert problem.name == name


@pytest.mark.parametrize(
    ("benchmark", "variable"), [("humaneval_plus", "HUMANEVAL_OVERRIDE_PATH"), ("mbpp_plus", "MBPP_OVERRIDE_PATH")]
)
def test_an_override_variable_of_evalplus_names_a_file(
    benchmark: str, variable: str, write: Write, good_row: GoodRow
) -> None:
    path = write(benchmark, [good_row(benchmark, 5)], "anywhere/mine.jsonl")
    assert load_problems(benchmark, environ={variable: str(path)}).source == str(path)
    with pytest.raises(TurnwiseError, match=f"^{variable} names .*, which is no file: unset it or mend it\\.$"):
        load_problems(benchmark, environ={variable: f"{path}x"})


@pytest.mark.parametrize("benchmark", PACKAGES)
def test_missing_data_are_an_error_that_says_what_to_do_and_never_the_sample(benchmark: str, tmp_path: Path) -> None:
    with pytest.raises(TurnwiseError, match="does not exist: give another --data-dir"):
        load_problems(benchmark, data_dir=tmp_path / "nowhere")
    for options in ({"data_dir": tmp_path}, {"environ": {"TURNWISE_DATA": str(tmp_path)}}):
        with pytest.raises(
            TurnwiseError, match=r"put one of .*\.jsonl\.gz.* there, or leave out --data-dir and TURNWISE"
        ):
            load_problems(benchmark, **options)


@pytest.mark.parametrize(("benchmark", "package"), PACKAGES.items())
def test_without_the_package_that_downloads_the_pip_line_is_given(benchmark: str, package: str) -> None:
    extra = {"huggingface_hub": "data", "evalplus": "evalplus"}[package]
    with pytest.raises(MissingExtraError) as caught:
        load_problems(benchmark)
    message = str(caught.value)
    assert message.startswith(f"{benchmark} without --data-dir or TURNWISE_DATA is downloaded")
    assert message.endswith(f"needs the package {package}: run pip install 'turnwise[{extra}]'.")


def test_a_download_that_fails_is_the_machines_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(*names: str, **options: Any) -> str:
        raise ConnectionError("no route to\nthe hub")

    package = types.ModuleType("huggingface_hub")
    package.__dict__["snapshot_download"] = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", package)
    with pytest.raises(InfrastructureError, match=r'could not be downloaded \("no route to"\): try again'):
        load_problems("codecontests")


def test_arguments_that_evalplus_has_converted_load_as_those_of_its_file(
    write: Write, good_row: GoodRow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """evalplus.data.get_mbpp_plus returns tuples, sets and complex numbers, and tuples of arguments."""
    given = {2: [[3], [4]], 115: [[[1, 2], []]], 124: ["0.5", "1j"], 580: [[4, [5]]]}
    converted: dict[int, Any] = {2: [(3,), (4,)], 115: [[{1, 2}, {}]], 124: (0.5, 1j), 580: ((4, (5,)),)}
    rows = [good_row("mbpp_plus", number - 900, base_input=[given[number]], plus_input=[]) for number in given]
    tasks = {number: {**row, "base_input": [converted[number]]} for number, row in zip(given, rows, strict=True)}
    package, release = types.ModuleType("evalplus"), types.ModuleType("evalplus.data")
    release.__dict__.update(get_mbpp_plus=lambda: tasks, get_mbpp_plus_hash=lambda: "f00")
    package.__dict__["data"] = release
    monkeypatch.setitem(sys.modules, "evalplus", package)
    monkeypatch.setitem(sys.modules, "evalplus.data", release)
    write("mbpp_plus", rows)
    from_file = load_problems("mbpp_plus", data_dir=tmp_path).problems
    assert [values.loads(problem.public_tests[0].input) for problem in from_file] == [
        list(arguments) for arguments in converted.values()
    ]
    assert load_problems("mbpp_plus").problems == from_file


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"benchmark": "humaneval"}, "Unknown benchmark 'humaneval': choose one of codecontests, taco, humaneval_plus"),
        ({"benchmark": "taco", "split": "valid"}, "taco has no split 'valid': choose one of test, train."),
        ({"benchmark": "taco", "difficulties": ["HARDER"]}, "has no difficulty 'HARDER'; TACO has EASY, MEDIUM,"),
        ({"benchmark": "codecontests", "difficulties": ["EASY"]}, "codecontests has no difficulty 'EASY'"),
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


def test_a_problem_is_found_by_its_id_scorable_or_not_and_near_ones_are_named(
    write: Write, good_row: GoodRow, tmp_path: Path
) -> None:
    write("taco", [good_row("taco", 10), good_row("taco", 11, input_output=""), good_row("taco", 20)])
    found = load_problems("taco", data_dir=tmp_path)
    assert [problem.id for problem in found.scorable] == ["taco/10", "taco/20"]
    assert found.find("taco/11") is found.problems[1]
    with pytest.raises(TurnwiseError, match=r"among the 3 of .*do you mean one of 'taco/20'\?"):
        found.find("taco/2")


@pytest.mark.parametrize(("benchmark", "count"), [*zip(PACKAGES, (4, 4, 3, 3), strict=True)])
def test_the_bundled_sample_loads_whole_whatever_the_data(benchmark: str, count: int, tmp_path: Path) -> None:
    name = f"sample_{benchmark}"
    found = load_problems(name, data_dir=tmp_path / "nowhere", environ={"TURNWISE_DATA": "nowhere"})
    assert BENCHMARKS[name].is_sample and not BENCHMARKS[benchmark].is_sample
    assert len(found.problems) == len(found.scorable) == count
    assert all(problem.id.startswith(f"{name}/") for problem in found.problems)
    assert (found.source, found.broken_rows) == ("bundled sample", ())
