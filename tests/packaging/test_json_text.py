"""What we write is JSON that any reader takes: one writer, without NaN and Infinity, and none beside it."""

import ast
import json
import math
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.json_text import json_line, json_text
from turnwise.records.codec import to_json, to_line
from turnwise.records.judgement import Judgement
from turnwise.records.report import Verdict
from turnwise.records.trajectory import Reply

ROOT = Path(__file__).parents[2]
_STANDALONE = "runs in the process of a program, which imports nothing of ours"
_BETWEEN = "said between our own processes"
_HASHED = "only its hash is kept"
_OPTION = "an option of the user's, as text"
# Modules that call json.dumps themselves: nothing that they make with it is a file for users, or they say why.
OTHERS = {
    "benchmarks/catalog.py": _HASHED,
    "turnwise/harness/definitions.py": _HASHED,
    "benchmarks/differences.py": "a value in a message",
    "benchmarks/hub.py": "a reason in a message",
    "benchmarks/values.py": "tagged JSON, which has forms of its own for NaN; also loaded alone beside programs",
    "runners/execution/canaries.py": _STANDALONE,
    "runners/execution/child.py": _STANDALONE,
    "runners/execution/sandbox/zygote.py": _STANDALONE,
    "runners/execution/worker.py": _BETWEEN,
    "runners/judging/expected.py": "the cache of expected outputs, texts alone",
    "runners/judging/verdicts.py": _HASHED,
    "runners/models/openai/replies.py": "the tool calls of a reply, as one text",
    "runners/models/openai/server.py": _OPTION,
    "runners/models/openai/wire.py": "a request to a server",
    "tasks/decoys.py": _HASHED,
    "tasks/dialogue.py": _HASHED,
    "training/tokenizer.py": _HASHED,
    "turnwise/commands/inputs.py": _OPTION,
    "turnwise/commands/settings.py": _OPTION,
    "turnwise/harness/back_end.py": "a message to a model",
    "turnwise/harness/options.py": _OPTION,
    "turnwise/harness/replies.py": _HASHED,
    "turnwise/json_text.py": "the writer itself",
    "turnwise/locks.py": "a host and a process number; imports nothing of ours",
}


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def read_strictly(text: str) -> Any:
    """Return a JSON document as a reader does that knows no NaN; the text can be encoded."""
    text.encode("utf-8")
    return json.loads(text, parse_constant=_refuse)


def _calls_json(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("dump", "dumps")
        and isinstance(node.value, ast.Name)
        and node.value.id == "json"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_nothing_else_writes_json() -> None:
    """A module that calls json.dump or json.dumps is listed with its reason, and none is listed that does not."""
    rooms = [path.parent for path in ROOT.glob("*/__init__.py")]
    found = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in room.rglob("*.py")
        if not any(part.is_symlink() for part in path.parents) and "data" not in path.parts and _calls_json(path)
    }
    assert found == set(OTHERS)


_DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(), max_size=3), inner),
    max_leaves=8,
)


def _expected(data: Any) -> Any:
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {key: _expected(value) for key, value in data.items()}
    return list(map(_expected, data)) if isinstance(data, list) else data


@settings(max_examples=60, deadline=None)
@given(_DATA)
def test_what_is_no_number_is_null_and_all_else_comes_back(data: Any) -> None:
    """In every form; halves of characters included, where json joins two that make a whole one."""
    expected = json.loads(json.dumps(_expected(data)))
    assert read_strictly(json_text(data, indent=1, ensure_ascii=False)) == expected
    assert read_strictly(json_text(data)) == read_strictly(json_line(data)) == expected


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_lines_of_a_run_folder_are_json(number: float) -> None:
    """Whatever a server said of probabilities, and a clock of seconds."""
    reply = json_line(to_json(Reply("x", logprobs=(number, -0.5))))
    assert read_strictly(reply)["logprobs"] == [None, -0.5]
    judgement = Judgement("t", "b/p", 0, 0, "0" * 16, Verdict.PASSED, True, 1, number, "A", "k")
    assert read_strictly(to_line(judgement))["cpu_seconds"] is None


def test_documents_keep_their_form() -> None:
    """Lines have no blanks, documents the indent that is asked, and other scripts stand as they are where asked."""
    assert json_line({"a": [1, "ä"]}) == '{"a":[1,"\\u00e4"]}'
    assert json_text({"a": "ä\ud800"}, indent=1, ensure_ascii=False) == '{\n "a": "ä\\ud800"\n}'
