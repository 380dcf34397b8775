"""``--model replay``: answers recorded earlier stand in for a model.

Understood are turnwise's own trajectories and the usual shapes of published answers, one JSON object a
line: ``task_id`` with ``turns`` of {response, code}, ``samples`` (completions of ``prompt``), or
evalplus's {task_id, solution}. Rows of one problem are its samples in file order, unless they number
them; a row with ``independent_attempts`` holds one sample per turn. A turn whose text holds no code
block but which has ``code`` is answered with that code in a block.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from turnwise.benchmarks.ids import problem_id
from turnwise.benchmarks.rows import Row, digest_files, read_rows
from turnwise.benchmarks.texts import encodable, shown
from turnwise.errors import TurnwiseError
from turnwise.runners.sampler import ImmediateSampler, Request, RequestError
from turnwise.tasks.extraction import extract_program
from turnwise.tasks.trajectory import Call, Reply, strip_thinking

_BENCHMARK_BY_RECORDED_NAME = {
    "humaneval": "humaneval_plus",
    "humanevalplus": "humaneval_plus",
    "humanevalplus_evalplus": "humaneval_plus",
    "humaneval_samples100": "humaneval_plus",
    "mbpp": "mbpp_plus",
    "mbppplus": "mbpp_plus",
    "mbppplus_evalplus": "mbpp_plus",
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """One recorded reply; ``after`` is the recorded beginning (prefill, prompt) that it continues, if any."""

    reply: Reply
    after: str = ""


_Turns = tuple[tuple[_Answer, ...], ...]


class ReplaySampler(ImmediateSampler):
    """Replies from a file of recorded answers; ``model`` and ``method`` (globs) choose among its rows.

    Where the dialogue prefills the answer, what was recorded has to be a continuation too (TurnwiseError).
    Raises TurnwiseError if the file does not exist, cannot be read or holds no answer.
    """

    def __init__(self, path: Path, *, benchmarks: Iterable[str], model: str = "*", method: str = "*") -> None:
        if not path.is_file():
            raise TurnwiseError(f"The file of recorded answers {str(path)!r} does not exist: mend -a path=...")
        self._answers: dict[str, list[_Turns]] = {}
        wanted = tuple(dict.fromkeys(benchmarks))
        models: set[str] = set()
        for row in read_rows(path):
            if row.error is not None:
                raise row.error.without_option()
            if _matches(row.data, model, method):
                models.add(str(row.data.get("model") or encodable(path.name)))
                for benchmark in wanted:
                    self._add(row, benchmark)
        if not self._answers:
            raise TurnwiseError(
                f"{path.name} holds no answer for {', '.join(wanted)} with model={model} and method={method}: "
                "give another path, task or filter."
            )
        self.description = {
            "model": ", ".join(sorted(models)),
            "path": encodable(path.name),
            "sha256": digest_files([path]),
            "filter": f"model={model}, method={method}",
        }

    def answer(self, request: Request) -> Reply | None:
        """Return the recorded reply of this turn; raises RequestError for a problem or sample not recorded."""
        samples = self._answers.get(request.problem, [])
        if request.sample >= len(samples):
            known = "1 recorded answer" if len(samples) == 1 else f"{len(samples)} recorded answers"
            raise RequestError(f"{request.problem} has {known}")
        turns = samples[request.sample]
        if request.turn >= len(turns):
            return None
        calls = turns[request.turn]
        answer = calls[min(request.call, len(calls) - 1)]
        if request.messages and request.messages[-1].kind == "prefill":
            if not answer.after:
                raise TurnwiseError(
                    f"The recorded answer to {request.problem} is whole, it continues nothing: leave out prefill."
                )
            return answer.reply
        return replace(answer.reply, text=_whole(answer)) if answer.after else answer.reply

    def _add(self, row: Row, benchmark: str) -> None:
        name = row.data.get("benchmark")
        if name is not None and _BENCHMARK_BY_RECORDED_NAME.get(name, name) != benchmark:
            return
        if "problem" in row.data:
            own = str(row.data["problem"])
            if not own.startswith(f"{benchmark}/"):
                return
            key = own
        else:
            key = problem_id(benchmark, _field(row, "task_id"))
        self._answers.setdefault(key, []).extend(_samples(row))


def _matches(data: Mapping[str, Any], model: str, method: str) -> bool:
    return fnmatchcase(str(data.get("model", "")), model) and fnmatchcase(str(data.get("method", "")), method)


def _field(row: Row, name: str) -> Any:
    if name not in row.data:
        raise TurnwiseError(f"{row.origin}: the recorded answer lacks the field {name!r}.")
    return row.data[name]


def _text(row: Row, name: str, value: Any) -> str:
    """Return ``value`` if it is a text; raises TurnwiseError for anything else, which is no program."""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise TurnwiseError(f"{row.origin}: field {name!r} is {kind} {shown(value)}, not a text: mend the row.")
    return value


def _list(row: Row, name: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        kind = type(value).__name__
        raise TurnwiseError(f"{row.origin}: field {name!r} is {kind} {shown(value)}, not a list: mend the row.")
    return value


def _samples(row: Row) -> Iterator[_Turns]:
    """Yield each sample's turns."""
    data = row.data
    if "samples" in data:
        prompt = _text(row, "prompt", data.get("prompt", ""))
        for sample in _list(row, "samples", data["samples"]):
            yield (_completion(prompt, _text(row, "samples", sample)),)
    elif "turns" in data:
        turns = tuple(_calls(row, turn) for turn in _list(row, "turns", data["turns"]))
        if data.get("independent_attempts"):
            yield from ((calls,) for calls in turns)
        elif turns:
            yield turns
        elif data.get("final_solution"):
            yield (_program(_text(row, "final_solution", data["final_solution"])),)
    else:
        yield (_program(_text(row, "solution", _field(row, "solution"))),)


def _calls(row: Row, turn: Any) -> tuple[_Answer, ...]:
    if not isinstance(turn, dict):
        raise TurnwiseError(f"{row.origin}: a turn is a JSON {type(turn).__name__}, not an object.")
    if "calls" in turn:
        return tuple(_own_call(row, call) for call in _list(row, "calls", turn["calls"]))
    text, code = turn.get("response"), turn.get("code")
    if text is not None:
        text = _text(row, "response", text)
    if code and (text is None or extract_program(text) is None):
        return _program(_text(row, "code", code))
    if text is None:
        raise TurnwiseError(f"{row.origin}: a turn has neither 'response' nor 'code'.")
    return (_Answer(Reply(text)),)


def _own_call(row: Row, data: Any) -> _Answer:
    """Return one call of a trajectory of ours, token counts included."""
    try:
        call = Call.from_json(data)
    except (KeyError, TypeError, AttributeError):
        raise TurnwiseError(f"{row.origin}: a call is none of a turnwise trajectory.") from None
    return _Answer(call.reply, call.prefill)


def _completion(prompt: str, text: str) -> tuple[_Answer, ...]:
    if not prompt:
        return _program(text)
    return (_Answer(Reply(f"{text}\n{_fence(prompt + text)}\n"), after=f"{_fence(prompt + text)}python\n{prompt}"),)


def _program(code: str) -> tuple[_Answer, ...]:
    return (_Answer(Reply(f"{_fence(code)}python\n{code}\n{_fence(code)}\n")),)


def _whole(answer: _Answer) -> str:
    return answer.after + strip_thinking(answer.reply.text)


def _fence(code: str) -> str:
    """Return a fence that ``code`` cannot close."""
    fence = "```"
    while fence in code:
        fence += "`"
    return fence
