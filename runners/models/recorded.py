"""One row of recorded answers as samples of turns: the shapes in which answers are published.

    {"task_id", "turns": [TEXT, {"response", "code"}, ...]}   a reply a turn; ``code`` where the text holds none
    {"task_id", "messages": [{"role", "content"}, ...]}       a chat: the assistant's messages are the replies
    {"task_id", "solution"} or {"task_id", "completion"}      a program (evalplus), or how the stub goes on (human-eval)
    {"task_id", "prompt", "samples": [TEXT, ...]}             completions of ``prompt``, each a sample
    {"problem", "turns": [{"calls"}]}                         a trajectory of turnwise

A field of another type is a TurnwiseError that names file, row, field and value. Runs and compiles nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from turnwise.benchmarks.ids import source_name
from turnwise.benchmarks.markdown import MarkdownPrograms
from turnwise.benchmarks.rows import Row
from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json
from turnwise.records.trajectory import Call, Reply, read_reply
from turnwise.runners.models.openai.documents import MalformedError
from turnwise.runners.models.openai.replies import read_replies
from turnwise.tasks.extraction import extract_program
from turnwise.texts import shown


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One recorded reply; ``after`` is the recorded beginning (prefill, prompt, stub) that it continues, if any."""

    reply: Reply
    after: str = ""


Turns = tuple[tuple[RecordedAnswer, ...], ...]


def name_of(row: Row) -> str:
    """Return what the row calls its problem; raises TurnwiseError if it does not say, or by no name."""
    name = source_name(field_of(row, "task_id"))
    if name is None:
        raise _of_another_type(row, "task_id", row.data["task_id"], "a text or a whole number")
    return name


def field_of(row: Row, name: str) -> Any:
    """Return a field; raises TurnwiseError if it is not there."""
    if name not in row.data:
        others = ", or another that holds answers: turns, messages, samples, completion" if name == "solution" else ""
        raise TurnwiseError(f"{row.origin}: the recorded answer lacks the field {name!r}{others}.")
    return row.data[name]


def text_in(row: Row, name: str, value: Any) -> str:
    """Return ``value`` if it is a text; raises TurnwiseError for anything else, which is no program."""
    if not isinstance(value, str):
        raise _of_another_type(row, name, value, "a text")
    return value


def samples_of(row: Row, stub: str | None, programs: MarkdownPrograms) -> Iterator[Turns]:
    """Yield each sample's turns; ``programs`` counts what stands there as a program.

    ``stub`` is what a completion continues, None where it is not known. Raises TurnwiseError for a damaged row.
    """
    data = row.data
    if "samples" in data:
        prompt = text_in(row, "prompt", data.get("prompt", ""))
        for sample in _list(row, "samples", data["samples"]):
            yield (_completion(prompt, text_in(row, "samples", sample), "samples", programs),)
    elif "turns" in data:
        turns = tuple(_calls(row, turn, programs) for turn in _list(row, "turns", data["turns"]))
        is_apart = data.get("independent_attempts")
        if not isinstance(is_apart, bool | None):
            raise _of_another_type(row, "independent_attempts", is_apart, "true or false")
        if is_apart:
            yield from ((calls,) for calls in turns)
        elif turns:
            yield turns
        elif data.get("final_solution"):
            yield (_program(text_in(row, "final_solution", data["final_solution"]), "final_solution", programs),)
    elif "messages" in data:
        yield _chat(row)
    elif "completion" in data and "solution" not in data:
        if stub is None:
            raise TurnwiseError(f"{row.origin}: a completion goes on with its problem's stub, which is not at hand.")
        yield (_completion(stub, text_in(row, "completion", data["completion"]), "completion", programs),)
    else:
        yield (_program(text_in(row, "solution", field_of(row, "solution")), "solution", programs),)


def _of_another_type(row: Row, name: str, value: Any, wanted: str) -> TurnwiseError:
    kind = type(value).__name__
    return TurnwiseError(f"{row.origin}: field {name!r} is {kind} {shown(value)}, not {wanted}: mend the row.")


def _list(row: Row, name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _of_another_type(row, name, value, "a list")
    return value


def _calls(row: Row, turn: Any, programs: MarkdownPrograms) -> tuple[RecordedAnswer, ...]:
    if isinstance(turn, str):
        return (RecordedAnswer(Reply(turn)),)
    if not isinstance(turn, dict):
        raise TurnwiseError(
            f"{row.origin}: field 'turns' holds {type(turn).__name__} {shown(turn)}, neither a text nor an object: "
            "mend the row."
        )
    if "calls" in turn:
        calls = tuple(_own_call(row, call) for call in _list(row, "calls", turn["calls"]))
        if not calls:
            raise TurnwiseError(f"{row.origin}: field 'calls' holds no call: mend the row.")
        return calls
    text, code = turn.get("response"), turn.get("code")
    if text is not None:
        text = text_in(row, "response", text)
    if code is not None:
        code = text_in(row, "code", code)
    if code and (text is None or extract_program(text, which="last") is None):
        return _program(code, "code", programs)
    if text is None:
        raise TurnwiseError(f"{row.origin}: a turn has neither 'response' nor 'code'.")
    return (RecordedAnswer(Reply(text)),)


def _own_call(row: Row, data: Any) -> RecordedAnswer:
    """Return one call of a trajectory of ours, token counts included."""
    try:
        return RecordedAnswer(read_reply(data["reply"]), from_json(Call, data).prefill)
    except (KeyError, TypeError, AttributeError, ValueError):
        raise TurnwiseError(f"{row.origin}: a call is none of a turnwise trajectory.") from None


def _chat(row: Row) -> Turns:
    """Return the assistant's messages of a chat as a server gives them: contents of parts, refusals, tool calls."""
    turns = []
    for message in _list(row, "messages", row.data["messages"]):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise _of_another_type(row, "messages", message, "an object with a role")
        if message["role"] == "assistant":
            try:
                (reply,) = read_replies({"choices": [{"message": message}]})
            except MalformedError:
                raise _of_another_type(row, "content", message.get("content"), "a text or a list of parts") from None
            turns.append((RecordedAnswer(reply),))
    if not turns:
        raise TurnwiseError(f"{row.origin}: field 'messages' holds no message of the role 'assistant': mend the row.")
    return tuple(turns)


def _completion(prompt: str, text: str, field: str, programs: MarkdownPrograms) -> tuple[RecordedAnswer, ...]:
    if not prompt:
        return _program(text, field, programs)
    programs.add(field, text)
    fence = _fence(prompt + text)
    return (RecordedAnswer(Reply(f"{text}\n{fence}\n"), after=f"{fence}python\n{prompt}"),)


def _program(code: str, field: str, programs: MarkdownPrograms) -> tuple[RecordedAnswer, ...]:
    programs.add(field, code)
    return (RecordedAnswer(Reply(f"{_fence(code)}python\n{code}\n{_fence(code)}\n")),)


def _fence(code: str) -> str:
    """Return a fence that ``code`` cannot close."""
    fence = "```"
    while fence in code:
        fence += "`"
    return fence
