"""``turnwise prompts show``: a whole dialogue as the model would read it, for dry reading; no model is asked.

Programs given, or two stand-ins that fail, are judged for real, so that the feedback is true.
"""

from collections.abc import Callable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from itertools import chain, cycle
from pathlib import Path

from tabulate import tabulate

from turnwise.commands.machine import open_machine, show_progress
from turnwise.commands.options import ShowOptions
from turnwise.commands.settings import build_settings, check_decoys, tasks_of_options
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.problem import Problem
from turnwise.records.settings import RunConfig
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import LoadedTask, Machine, load_decoys, load_task, open_task
from turnwise.runners.models.chat import sendable
from turnwise.runners.models.sampler import ScriptedSampler
from turnwise.runners.sampling import Job
from turnwise.tasks.catalog import Task
from turnwise.tasks.dialogue import Ask, Dialogue
from turnwise.tasks.plan import strategy_of
from turnwise.tasks.prompts import PromptSet
from turnwise.texts import printable

_THOUGHT = "(The model's reasoning stands here.)"


@dataclass(frozen=True, slots=True)
class Shown:
    """One call of the dialogue: its messages that are new, and how long the whole prompt is."""

    turn: int
    call: int
    messages: tuple[Message, ...]
    prompt_length: int
    reply: str


def show_command(options: ShowOptions, *, environ: dict[str, str]) -> str:
    """Return the dialogue of each task about one problem, with a table of lengths below it.

    Raises TurnwiseError for settings that cannot be, or a problem that is not there.
    """
    count, unit = load_counter(options.tokenizer)
    tasks = tasks_of_options(options)
    config = build_settings(
        profile="default",
        metadata=options.metadata,
        gen_kwargs="",
        samples="",
        tasks=tasks,
        given=options.given(),
    )
    settings = config.settings
    check_decoys(options.incorrect_programs, [settings], tasks)
    prompts = PromptSet.load(options.prompts)
    programs = [_read_program(path) for path in options.program]
    parts = []
    with (
        show_progress() as on_progress,
        open_machine(environ, on_progress, data_dir=options.data_dir, interpreter=options.interpreter) as machine,
    ):
        for task in tasks:
            prompts.check(strategy_of(settings, task).prompt_ids)
            loaded = _load_one(task, config, options.problem, machine)
            decoys = load_decoys([loaded], settings, machine, config.judge, path=options.incorrect_programs)
            job = Job([loaded], ScriptedSampler({}), settings, prompts, decoys=decoys)
            judge = Judge(machine.executor, matcher=config.judge.matcher, checkers=machine.checkers)
            shown = list(walk(Dialogue(loaded.asked[0], 0, job.plan_of(loaded)), judge, programs, count))
            judge.close()
            strategy = strategy_of(settings, task).name
            head = f"{task.name}, {loaded.asked[0].id}, strategy {strategy}, prompts {prompts.name}"
            parts.append("\n".join([f"##### {printable(head, limit=400)}", *_render(shown, count, unit)]))
    return "\n\n".join(parts)


def walk(dialogue: Dialogue, judge: Judge, programs: Sequence[str], count: Callable[[str], int]) -> Iterator[Shown]:
    """Yield the calls of ``dialogue``, answered by ``programs`` and then by stand-ins that fail."""
    answers = chain(programs, cycle(stand_ins(dialogue.problem)))
    while (step := dialogue.next_step()) is not None:
        if not isinstance(step, Ask):
            dialogue.report(judge.judge(step.problem, step.program, hidden=False, traced=step.traced))
            continue
        asks_for_code = any(message.prompt_id == "format_guide" for message in step.messages[_new(step.messages) :])
        text = f"```python\n{next(answers).rstrip()}\n```" if asks_for_code else _THOUGHT
        length = sum(count(message.content) for message in step.messages)
        yield Shown(step.turn, step.call, step.messages[_new(step.messages) :], length, text)
        is_prefilled = step.messages[-1].kind == "prefill"
        dialogue.reply(Reply(text.removeprefix("```python\n") if is_prefilled else text))


def stand_ins(problem: Problem) -> tuple[str, str]:
    """Return a program that gives a wrong answer and one that ends with an error."""
    if problem.is_function_call:
        start = f"def {problem.entry_point}(*arguments):\n    "
        return f"{start}return None", f'{start}raise ValueError("a stand-in for a program")'
    return "print(0)", 'raise ValueError("a stand-in for a program")'


def _new(messages: Sequence[Message]) -> int:
    """Return where the messages begin that follow the last reply."""
    said = [index for index, message in enumerate(messages) if message.kind in ("reply", "thought")]
    return said[-1] + 1 if said else 0


def _load_one(task: Task, config: RunConfig, problem: str, machine: Machine) -> LoadedTask:
    """Return the task with one problem, so that no other's expected outputs are computed."""
    if not problem:
        opened = open_task(task, config.settings, data_dir=machine.data_dir, environ=machine.environ)
        problem = opened.asked[0].id
    return load_task(task, replace(config.settings, samples={task.name: (problem,)}), machine, config.judge)


def _read_program(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise TurnwiseError(f"The program {str(path)!r} cannot be read ({reason}): give another --program.") from None


def _render(shown: Sequence[Shown], count: Callable[[str], int], unit: str) -> Iterator[str]:
    for one in shown:
        yield f"\n===== turn {one.turn + 1}, call {one.call + 1} ====="
        for message in one.messages:
            name = message.kind if message.prompt_id in ("", message.kind) else f"{message.kind}: {message.prompt_id}"
            yield f"--- {message.role}, {name} ({count(message.content):,} {unit})"
            yield printable_text(message.content)
        yield "--- assistant (a stand-in)"
        yield printable_text(one.reply)
    rows = [
        (one.turn + 1, one.call + 1, f"{sum(count(message.content) for message in one.messages):,}", one.prompt_length)
        for one in shown
    ]
    headers = ("turn", "call", f"new {unit}", f"{unit} of the prompt")
    yield "\n" + tabulate([(*row[:3], f"{row[3]:,}") for row in rows], headers=headers, colalign=("right",) * 4)


def printable_text(text: str) -> str:
    """Return ``text`` with control characters escaped that a terminal would obey; lines stay lines."""
    return "\n".join(
        "".join(one if one == "\t" or one.isprintable() else ascii(one)[1:-1] for one in line)
        for line in text.split("\n")
    )


def load_counter(tokenizer: str = "") -> tuple[Callable[[str], int], str]:
    """Return what counts a text, and the unit it counts in.

    ``tokenizer`` is a name on the hub, a folder of one, or a tokenizer.json. Raises MissingExtraError without the
    package that reads it, TurnwiseError if it cannot be loaded.
    """
    if not tokenizer:
        return len, "characters"
    path = Path(tokenizer)
    file = path / "tokenizer.json" if path.is_dir() else path
    encode = _from_file(file) if file.is_file() and file.suffix == ".json" else _from_hub(tokenizer)
    return lambda text: len(encode(sendable(text))), "tokens"


def _from_file(path: Path) -> Callable[[str], Sized]:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingExtraError("Counting tokens", "tokenizers", "hf") from None
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise TurnwiseError(f"The tokenizer {str(path)!r} cannot be read: {error}.") from None
    return lambda text: loaded.encode(text, add_special_tokens=False).ids


def _from_hub(name: str) -> Callable[[str], Sized]:
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise MissingExtraError("Counting tokens", "transformers", "hf") from None
    try:
        loaded = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TurnwiseError(f"The tokenizer {name!r} cannot be loaded: {reason}") from None
    return lambda text: loaded.encode(text, add_special_tokens=False)
