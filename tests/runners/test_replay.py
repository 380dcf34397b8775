"""Recorded answers of every known shape stand in for a model."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_json
from turnwise.records.trajectory import Call, Message, Reply
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.models.sampler import Request, RequestError, ScriptedSampler
from turnwise.tasks.extraction import extract_program


def _sampler(
    tmp_path: Path, *rows: Any, benchmarks: tuple[str, ...] = ("codecontests",), **filters: Any
) -> ReplaySampler:
    path = tmp_path / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return ReplaySampler(path, benchmarks=benchmarks, **filters)


def _text(sampler: ReplaySampler, problem: str, sample: int = 0, turn: int = 0) -> str | None:
    reply = sampler.answer(Request("t", problem, sample, turn, 0, (), 0))
    return None if reply is None else reply.text


def test_turns_are_replayed_one_by_one(tmp_path: Path) -> None:
    """Each turn's text comes in its turn; after the last there is no further answer."""
    row = {"task_id": '1_A. Even, "odd" (easy)', "turns": [{"response": "one"}, {"response": "two"}]}
    sampler = _sampler(tmp_path, row)
    problem = 'codecontests/1_A. Even, "odd" (easy)'
    assert [_text(sampler, problem, turn=turn) for turn in range(3)] == ["one", "two", None]


def test_rows_of_a_problem_are_its_samples(tmp_path: Path) -> None:
    """In file order; a sample that was not recorded is a failed request, never a wrong answer."""
    rows = [{"task_id": "p", "turns": [{"response": text}]} for text in ("a", "b")]
    sampler = _sampler(tmp_path, *rows)
    assert [_text(sampler, "codecontests/p", sample) for sample in (0, 1)] == ["a", "b"]
    for problem, sample in (("codecontests/p", 2), ("codecontests/other", 0)):
        with pytest.raises(RequestError):
            _text(sampler, problem, sample)


def test_answers_to_several_data_sets_in_a_file_are_told_apart(tmp_path: Path) -> None:
    """By the name before the number; the other data set's problem of that number is another problem."""
    rows = [{"task_id": name, "turns": [{"response": name}]} for name in ("HumanEval/2", "Mbpp/2", "MBPP/3")]
    sampler = _sampler(tmp_path, *rows, benchmarks=("humaneval_plus", "mbpp_plus"))
    problems = ("humaneval_plus/HumanEval/2", "mbpp_plus/Mbpp/2", "mbpp_plus/Mbpp/3")
    assert [_text(sampler, problem) for problem in problems] == ["HumanEval/2", "Mbpp/2", "MBPP/3"]
    with pytest.raises(RequestError):
        _text(sampler, "humaneval_plus/HumanEval/3")


def test_independent_attempts_are_samples_not_turns(tmp_path: Path) -> None:
    """Ten attempts in one row are ten dialogues of one turn."""
    row = {"task_id": "p", "independent_attempts": True, "turns": [{"response": "a"}, {"response": "b"}]}
    sampler = _sampler(tmp_path, row)
    assert [_text(sampler, "codecontests/p", sample) for sample in (0, 1)] == ["a", "b"]
    assert _text(sampler, "codecontests/p", 0, turn=1) is None


@pytest.mark.parametrize(
    ("row", "program"),
    [
        ({"turns": [{"code": "print(1)"}]}, "print(1)\n"),
        ({"turns": [{"response": "no block here", "code": "print(2)"}]}, "print(2)\n"),
        ({"turns": [{"response": "```python\nprint(3)\n```", "code": "other"}]}, "print(3)\n"),
        ({"prompt": "def f():\n", "samples": ["    return 1"]}, "def f():\n    return 1\n"),
        ({"solution": "x = '```'"}, "x = '```'\n"),
        ({"turns": [], "final_solution": "print(4)"}, "print(4)\n"),
        ({"turns": [{"code": "'''\n```\n'''"}]}, "'''\n```\n'''\n"),
    ],
)
def test_programs_of_every_shape_come_through(tmp_path: Path, row: dict[str, Any], program: str) -> None:
    """What the row calls the program is what is extracted from the reply."""
    text = _text(_sampler(tmp_path, {"task_id": "p", **row}), "codecontests/p")
    assert text is not None
    assert extract_program(text) == program


@pytest.mark.parametrize("name", ["Mbpp/11", "MBPP/11", "mbpp_11_remove_Occ", "11", 11])
def test_ids_of_every_source_meet(tmp_path: Path, name: str | int) -> None:
    """One problem, however a file calls it."""
    row = {"benchmark": "mbpp", "task_id": name, "turns": [{"code": "x"}]}
    assert _text(_sampler(tmp_path, row, benchmarks=("mbpp_plus",)), "mbpp_plus/Mbpp/11")


def test_model_and_method_choose_rows(tmp_path: Path) -> None:
    """Globs; what remains is named in the description with the file's hash."""
    rows = [
        {"task_id": "p", "model": model, "method": method, "turns": [{"response": model + method}]}
        for model in ("big", "small")
        for method in ("direct/1", "cot/1")
    ]
    sampler = _sampler(tmp_path, *rows, model="small", method="cot*")
    assert _text(sampler, "codecontests/p") == "smallcot/1"
    assert sampler.description["model"] == "small"
    with pytest.raises(RequestError):
        _text(sampler, "codecontests/p", 1)
    assert len(sampler.description["sha256"]) == 64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no answer for codecontests"),
        ('{"task_id": "p", "turns": [{"resp', r"^answers.jsonl row 1: is no JSON .* Mend the row\.$"),
        ('{"turns": [{"response": "x"}]}', "lacks the field 'task_id'"),
        ('{"task_id": "p", "output": "x"}', "lacks the field 'solution', or another that holds answers: turns"),
        (
            '{"task_id": "p", "solution": ["print(1)"]}',
            r"row 1 \(p\): field 'solution' is list .*, not a text: mend the row",
        ),
        ('{"task_id": "p", "solution": null}', "field 'solution' is NoneType None, not a text"),
        ('{"task_id": "p", "samples": "print(1)"}', "field 'samples' is str 'print"),
        ('{"task_id": "p", "samples": [7]}', "field 'samples' is int 7, not a text"),
        ('{"task_id": "p", "prompt": 1, "samples": ["x"]}', "field 'prompt' is int 1, not a text"),
        ('{"task_id": "p", "turns": 5}', "field 'turns' is int 5, not a list"),
        ('{"task_id": "p", "turns": [{"response": {}}]}', "field 'response' is dict {}, not a text"),
        ('{"task_id": "p", "turns": [{"code": [1]}]}', "field 'code' is list .*, not a text"),
        ('{"task_id": "p", "turns": [{"response": "```\\nx\\n```", "code": [1]}]}', "'code' is list .*, not a text"),
        ('{"task_id": "p", "turns": [{"response": "x", "code": 0}]}', "field 'code' is int 0, not a text"),
        (
            '{"task_id": "p", "turns": ["x"], "independent_attempts": "false"}',
            "field 'independent_attempts' is str 'false', not true or false",
        ),
        ('{"task_id": "p", "turns": [], "final_solution": 3}', "field 'final_solution' is int 3, not a text"),
        ('{"task_id": "p", "turns": [{"calls": 1}]}', "field 'calls' is int 1, not a list"),
        ('{"task_id": "p", "turns": [{}]}', "neither 'response' nor 'code'"),
        ('{"task_id": "p", "turns": [7]}', "field 'turns' holds int 7, neither a text nor an object"),
        ('{"task_id": "p", "turns": [{"calls": []}]}', "field 'calls' holds no call"),
        ('{"task_id": ["p"], "solution": "x"}', r"field 'task_id' is list \['p'\], not a text or a whole number"),
        ('{"task_id": true, "solution": "x"}', "field 'task_id' is bool True"),
        ('{"task_id": NaN, "solution": "x"}', "field 'task_id' is float nan"),
        ('{"task_id": 1' + "0" * 5000 + ', "solution": "x"}', "field 'task_id' is int a huge int"),
        ('{"task_id": "p", "benchmark": {}, "solution": "x"}', "field 'benchmark' is dict {}, not a text"),
        ('{"problem": 7, "solution": "x"}', "field 'problem' is int 7, not a text"),
        ('{"task_id": "p", "sample": -1, "solution": "x"}', "field 'sample' is -1, not a whole number from 0"),
        ('{"task_id": "p", "sample": 1e400, "solution": "x"}', "field 'sample' is inf, not a whole number"),
        ('{"task_id": "p", "messages": "x"}', "field 'messages' is str 'x', not a list"),
        ('{"task_id": "p", "messages": [1]}', "field 'messages' is int 1, not an object with a role"),
        ('{"task_id": "p", "messages": [{"role": "user", "content": "x"}]}', "no message of the role 'assistant'"),
        ('{"task_id": "p", "messages": [{"role": "assistant", "content": 7}]}', "field 'content' is int 7, not a text"),
        ('{"task_id": "p", "completion": ["x"]}', "goes on with its problem's stub, which is not at hand"),
        (
            '{"task_id": "p", "sample": 0, "solution": "x"}\n{"task_id": "p", "sample": 0, "solution": "y"}',
            r"row 2 \(p\): sample 0 of 'codecontests/p' stands already, with another answer, at answers.jsonl row 1 ",
        ),
        ('{"task_id": "p", "turns": [{"calls": [{}]}]}', "a call is none of a turnwise trajectory"),
        ('{"benchmark": "taco", "task_id": "1", "turns": [{"code": "x"}]}', "holds no answer for codecontests"),
    ],
)
def test_a_file_that_cannot_be_replayed_is_named(tmp_path: Path, content: str, message: str) -> None:
    """One sentence with file and row."""
    path = tmp_path / "answers.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TurnwiseError, match=message):
        ReplaySampler(path, benchmarks=("codecontests",))


def test_a_file_whose_name_is_not_utf_8_is_described(tmp_path: Path) -> None:
    """What run.json says of it can be written; its name is the model's where its rows name none."""
    path = tmp_path / os.fsdecode(b"l\xe4ufe.jsonl")
    path.write_text('{"task_id": "p", "solution": "print(1)"}')
    description = ReplaySampler(path, benchmarks=("codecontests",)).description
    assert description["path"] == description["model"] == "l\\udce4ufe.jsonl"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path stands in the sentence."""
    with pytest.raises(TurnwiseError, match=r"nothing.jsonl"):
        ReplaySampler(tmp_path / "nothing.jsonl", benchmarks=("codecontests",))


PREFILL = Message("assistant", "prefill", "prefill", "```python\ndef f():\n")


def test_completions_continue_a_prefill(tmp_path: Path) -> None:
    """What followed the prompt comes back as it was, and the block it began in is closed."""
    sampler = _sampler(tmp_path, {"task_id": "p", "prompt": "def f():\n", "samples": ["    return 1"]})
    reply = sampler.answer(Request("t", "codecontests/p", 0, 0, 0, (PREFILL,), 0))
    assert reply is not None and reply.text == "    return 1\n```\n"
    assert extract_program(PREFILL.content + reply.text) == "def f():\n    return 1\n"


def test_whole_answers_continue_nothing(tmp_path: Path) -> None:
    """Asking them to would double the beginning: one sentence says so."""
    sampler = _sampler(tmp_path, {"task_id": "p", "turns": [{"response": "x"}]})
    with pytest.raises(TurnwiseError, match=r"codecontests/p is whole, it continues nothing: leave out prefill"):
        sampler.answer(Request("t", "codecontests/p", 0, 0, 0, (PREFILL,), 0))


@pytest.mark.parametrize("prefill", [False, True])
def test_trajectories_of_ours_are_replayed_call_by_call(tmp_path: Path, prefill: bool) -> None:
    """With token counts; a prefilled answer comes back as the continuation, or whole."""
    calls = [
        Call((Message("user", "statement", "statement", "x"),), Reply("thoughts", completion_tokens=7)),
        Call((Message("user", "instruction", "write_program", "y"), PREFILL), Reply("    return 1\n```")),
    ]
    row = {"problem": "codecontests/p", "sample": 0, "turns": [{"calls": [to_json(call) for call in calls[prefill:]]}]}
    sampler = _sampler(tmp_path, row)
    requests = [Request("t", "codecontests/p", 0, 0, call, (PREFILL,) if prefill else (), 0) for call in range(2)]
    replies = [sampler.answer(request) for request in requests]
    assert replies[1] is not None
    if prefill:
        assert replies[1].text == "    return 1\n```"
    else:
        assert replies[0] == Reply("thoughts", completion_tokens=7)
        assert extract_program(replies[1].text) == "def f():\n    return 1\n"


def test_the_scripted_sampler_remembers_what_it_was_asked() -> None:
    """The public test double gives scripted texts and fails where nothing is scripted."""
    sampler = ScriptedSampler({("b/p", 0): ("one",)})
    request = Request("t", "b/p", 0, 0, 0, (), 7)
    reply = sampler.answer(request)
    assert reply is not None and reply.text == "one"
    assert sampler.answer(Request("t", "b/p", 0, 1, 0, (), 7)) is None
    assert sampler.requests[0] == request
    with pytest.raises(RequestError, match=r"b/q"):
        sampler.answer(Request("t", "b/q", 0, 0, 0, (), 7))
