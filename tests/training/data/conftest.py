"""Runs over a made-up training benchmark, whose dialogues a script writes through the real dialogue machine."""

import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.own import find_benchmarks
from turnwise.cli.main import _finish
from turnwise.commands import rft_data as command
from turnwise.exchange.imported import write_imported
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.problem import Problem
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.run_folder import RunRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.trajectory import Reply, Trajectory
from turnwise.runners.loading import Machine, open_task
from turnwise.tasks.catalog import tasks_of
from turnwise.tasks.dialogue import Ask, Dialogue
from turnwise.tasks.plan import dialogue_plan
from turnwise.tasks.prompts import PromptSet

ENVIRONMENT = Environment("made 1", "none", "CPython 3.11", "tokens")
JUDGE = JudgeRecord("made 1", "CPython 3.11", "tokens", 1.0)
TASK = "sums_train_multiturn"
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
HIDDEN = "4711"  # stands in hidden tests alone
# What a dialogue's programs do, turn by turn; "misled" passes the public tests alone.
WORDS = (("right",), ("wrong", "right"), ("wrong", "none", "right"), ("wrong", "wrong", "wrong"), ("misled",))
_STATEMENTS = (
    "for i in range({n}):\n    total += i * {n}",
    "while total > {n}:\n    total -= {n}",
    "if total % {n} == 0:\n    total = total // {n}",
    "values = [total, {n}, total + {n}]\ntotal = max(values)",
    "total = abs(total) ^ {n}",
    "text = str(total) * {n}\ntotal = len(text)",
    "pairs = {{total: {n}}}\nfor key in pairs:\n    total += pairs[key]",
    "def change(a):\n    return a - {n}\ntotal = change(total)",
    "try:\n    total = int('{n}') + total\nexcept ValueError:\n    total = 0",
    "total = sum(x for x in (total, {n}) if x)",
)


def program(word: str, number: int, *, size: int = 6) -> str:
    """Return a program that a report calls ``word``, unlike those of other numbers."""
    chosen = random.Random(number)
    lines = [one.format(n=chosen.randrange(2, 99)) for one in chosen.choices(_STATEMENTS, k=size)]
    return "\n".join([f"total = int(input())  # {word}", *lines, "print(total)"]) + "\n"


def _make_tokenizer(template: str, texts: Sequence[str] = ("print(int)",), *, size: int = 270) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    backend.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="<|end|>", additional_special_tokens=SPECIAL
    )
    tokenizer.chat_template = template
    return tokenizer


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A training benchmark of six problems."""
    path = tmp_path / "sums_train.jsonl"
    rows = [
        {
            "name": f"add {number}",
            "statement": f"Read a number and write it plus {number}, whichever number that may be.",
            "public_tests": [{"input": "1\n", "output": f"{number + 1}\n"}],
            "hidden_tests": [{"input": f"{HIDDEN}\n", "output": f"{int(HIDDEN) + number}\n"}],
        }
        for number in range(6)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


Words = Callable[[str, int], Sequence[str]]


def _by_number(problem: str, sample: int) -> Sequence[str]:
    return WORDS[(int(problem.rpartition(" ")[2]) + sample) % len(WORDS)]


def _carry(problem: Problem, sample: int, plan: Any, words: Sequence[str], *, reply: Mapping[str, Any]) -> Trajectory:
    """Return the dialogue whose turns do as ``words`` say; ``reply`` are fields of each reply."""
    dialogue = Dialogue(problem, sample, plan)
    while (step := dialogue.next_step()) is not None:
        word = words[min(step.turn if isinstance(step, Ask) else len(dialogue._turns), len(words) - 1)]
        if isinstance(step, Ask):
            number = hash_of(problem.id, sample, step.turn)
            text = f"Thought {number} of it."
            if step.messages[-1].prompt_id in ("format_guide", "prefill"):
                code = "" if word == "none" else f"\n\n```python\n{program(word, number)}```"
                text = f"Answer {number}.{code}"
            asked = sum(len(message.content) for message in step.messages) // 4
            dialogue.reply(Reply(text, prompt_tokens=asked, completion_tokens=len(text) // 4, **reply))
        else:
            verdict = {"none": Verdict.NO_CODE, "wrong": Verdict.WRONG_ANSWER}.get(word, Verdict.PASSED)
            results = () if word == "none" else (TestResult(0, verdict, output="7\n"),)
            dialogue.report(Report(problem.id, verdict, results, None, ENVIRONMENT))
    return dialogue.trajectory()


def hash_of(problem: str, sample: int, turn: int) -> int:
    """Return a number for each turn."""
    return random.Random(f"{problem} {sample} {turn}").randrange(10**6)


def judgements_on(trajectory: Trajectory) -> list[Judgement]:
    """Return the verdicts that judging would give: on programs that passed the public tests."""
    found = []
    for number, turn in enumerate(trajectory.turns):
        if turn.program is not None and turn.public_report.public_passed:
            verdict = Verdict.WRONG_ANSWER if "# misled" in turn.program else Verdict.PASSED
            place = (trajectory.task, trajectory.problem, trajectory.sample, number, program_hash(turn.program))
            found.append(Judgement(*place, verdict, True, 2, 0.1, "none", "k"))
    return found


@pytest.fixture(scope="session")
def make_program() -> Callable[..., str]:
    """make_program(word, number, size=): a program unlike those of other numbers."""
    return program


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[..., Any]:
    """make_tokenizer(template, texts): a tokenizer of bytes and of what ``texts`` make it learn."""
    return _make_tokenizer


@pytest.fixture(scope="session")
def carry() -> Callable[..., Trajectory]:
    """carry(problem, sample, plan, words, reply={}): the dialogue whose turns do as the words say."""
    return _carry


@pytest.fixture
def write_run(tmp_path: Path, toy: Path) -> Callable[..., Path]:
    """write_run(name, words=, settings=, samples=, ...): a judged run of cot_retry over the toy benchmark.

    ``change`` may replace a dialogue, by None for one that was not sampled; ``reply`` are fields of each reply.
    """

    def write(
        name: str = "run",
        *,
        words: Words = _by_number,
        samples: int = 5,
        settings: Mapping[str, Any] | None = None,
        judge: JudgeRecord = JUDGE,
        judged: bool = True,
        prompts: PromptsRecord | None = None,
        change: Callable[[Trajectory], Trajectory | None] = lambda one: one,
        reply: Mapping[str, Any] | None = None,
        task: str = TASK,
        benchmark: Path | None = None,
        problems: slice = slice(None),
    ) -> Path:
        known = tasks_of(find_benchmarks(str(benchmark or toy)))
        chosen = RunSettings(samples_per_problem=samples, strategy="cot_retry", **(settings or {}))
        if known[task].max_turns == 1:
            chosen = replace(chosen, strategy="")
        set_of_prompts = PromptSet.load()
        loaded = open_task(known[task], chosen)
        loaded = replace(loaded, asked=loaded.asked[problems])
        plan = dialogue_plan(chosen, known[task], set_of_prompts)
        dialogues = [
            change(_carry(problem, sample, plan, words(problem.id, sample), reply=reply or {}))
            for problem in loaded.asked
            for sample in range(samples)
        ]
        kept = {(one.task, one.problem, one.sample): one for one in dialogues if one is not None}
        record = RunRecord(
            turnwise="0",
            model={"back_end": "made", "model": "org/writer"},
            settings=chosen,
            judge=judge,
            prompts=prompts or PromptsRecord(set_of_prompts.name, dict(set_of_prompts.hashes)),
            tasks=(loaded.to_record(chosen),),
            command=f"turnwise run -o {name}",
        )
        verdicts = [judgement for one in kept.values() for judgement in judgements_on(one)] if judged else []
        write_imported(tmp_path / name, record, kept, verdicts)
        return tmp_path / name

    return write


@pytest.fixture
def rft_data(
    tmp_path: Path, toy: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """rft_data(run, ..., "-o", folder, more): exit status and what was printed of the command line.

    Without what runs programs, unless ``runs_programs``: the toy benchmark has all outputs, its judge no validators.
    """
    machine = Machine(None, cache_dir, environ={})  # type: ignore[arg-type]  # runs no program
    opened = command.open_machine
    monkeypatch.setenv("TURNWISE_CACHE", str(cache_dir))
    monkeypatch.chdir(tmp_path)

    def call(
        *arguments: object, against: str = "none", benchmark: Path | None = None, runs_programs: bool = False
    ) -> tuple[int, str]:
        fake = lambda *given, **more: nullcontext(machine)  # noqa: E731 - two words
        monkeypatch.setattr(command, "open_machine", opened if runs_programs else fake)
        line = ["rft-data", *map(str, arguments), "--benchmark", str(benchmark or toy), "--workers", "1"]
        if against:
            line += ["--against", against]
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["turnwise", *line])
        status = _finish(line)
        return status, "".join(capsys.readouterr())

    return call
