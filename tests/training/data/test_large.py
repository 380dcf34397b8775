"""100,000 dialogues: what they take is printed, and memory stays bounded."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.own import find_benchmarks
from turnwise.records.codec import to_line
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.report import Verdict
from turnwise.records.run_folder import (
    RunFolder,
    RunRecord,
    cut_shards,
    digest_file,
    digest_line,
    plan_lines,
    plan_order,
)
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.records.training import read_report
from turnwise.records.trajectory import Trajectory
from turnwise.runners.loading import open_task
from turnwise.tasks.catalog import tasks_of
from turnwise.tasks.plan import dialogue_plan
from turnwise.tasks.prompts import PromptSet

PROBLEMS, SAMPLES = int(os.environ.get("TURNWISE_TEST_PROBLEMS", "500")), 200
TASK = "large_train_multiturn"
PATTERNS = (("right",), ("wrong", "right"), ("wrong", "wrong", "right"), ("wrong", "wrong", "wrong"))
MOST_BYTES = 700 * 2**20  # of memory, transformers included: 100,000 dialogues have as many on the disk
NUMBER = "PROBLEMNUMBER"
CHATML = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}"
    "{% if not loop.last or not continue_final_message %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def write_benchmark(path: Path) -> None:
    rows = []
    for number in range(PROBLEMS):
        words = " ".join(f"word{number * 7 % 1013 + at} of the matter" for at in range(80))
        tests = [{"input": "1\n", "output": "2\n"}]
        statement = f"Problem {number}: {words}"
        rows.append({"name": str(number), "statement": statement, "public_tests": tests, "hidden_tests": tests})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def escaped(text: str) -> str:
    return json.dumps(text)[1:-1]


class Writer:
    """Writes dialogues from one of each pattern by putting other programs in."""

    def __init__(self, problem: Any, plan: Any, carry: Callable[..., Trajectory], make_program: Any) -> None:
        self._program = make_program
        self._statement = escaped(problem.statement)
        self._id = problem.id
        self._templates = []
        for words in PATTERNS:
            trajectory = carry(problem, 0, plan, words, reply={})
            programs = [turn.program or "" for turn in trajectory.turns]
            self._templates.append((words, to_line(trajectory), programs))

    def write(self, problem: Any, sample: int, number: int) -> tuple[str, Judgement | None]:
        words, line, programs = self._templates[number % len(PATTERNS)]
        line = line.replace(self._statement, escaped(problem.statement)).replace(self._id, problem.id)
        line = line.replace('"sample":0', f'"sample":{sample}')
        new = ""
        for turn, (word, old) in enumerate(zip(words, programs, strict=True)):
            new = self._program(word, 3 * number + turn, size=10)
            line = line.replace(escaped(old), escaped(new))
        if words[-1] != "right":
            return line, None
        place = (TASK, problem.id, sample, len(words) - 1, program_hash(new))
        return line, Judgement(*place, Verdict.PASSED, True, 2, 0.1, "none", "k")


def write_large_run(path: Path, benchmark: Path, carry: Any, make_program: Any) -> int:
    """Write the run and return the bytes of its shards."""
    task = tasks_of(find_benchmarks(str(benchmark)))[TASK]
    settings = RunSettings(samples_per_problem=SAMPLES, strategy="cot_retry")
    loaded = open_task(task, settings)
    prompts = PromptSet.load()
    writer = Writer(loaded.asked[0], dialogue_plan(settings, task, prompts), carry, make_program)
    record = RunRecord(
        "0",
        {"back_end": "made", "model": "org/writer"},
        settings,
        JudgeRecord("made 1", "CPython 3.11", "tokens", 1.0),
        PromptsRecord(prompts.name, dict(prompts.hashes)),
        (loaded.to_record(settings),),
    )
    folder, problems = RunFolder(path), {problem.id: problem for problem in loaded.asked}
    shards = cut_shards(TASK, plan_order(record.tasks[0], SAMPLES), size=64)
    (path / "trajectories" / TASK).mkdir(parents=True)
    (path / "verdicts").mkdir()
    written = number = 0
    with (path / "verdicts" / "main.jsonl").open("w") as verdicts:
        for shard in shards:
            lines = []
            for name, sample in shard.keys:
                line, judgement = writer.write(problems[name], sample, number)
                lines.append(line + "\n")
                if judgement is not None:
                    verdicts.write(to_line(judgement) + "\n")
                number += 1
            data = "".join(lines).encode("ascii")
            folder.shard_file(shard).write_bytes(data)
            digest_file(folder.shard_file(shard)).write_text(digest_line(folder.shard_file(shard), data))
            written += len(data)
    (path / "shards.jsonl").write_text(plan_lines(shards))
    folder.write_record(record)
    return written


@pytest.mark.long
def test_many_dialogues_become_data_in_bounded_memory(
    tmp_path: Path,
    carry: Callable[..., Trajectory],
    make_program: Callable[..., str],
    make_tokenizer: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """500 problems of 200 dialogues each: time, the process's peak of memory and the files are printed."""
    pytest.importorskip("transformers", reason="transformers is not installed: pip install 'turnwise[hf]'")
    benchmark = tmp_path / "large_train.jsonl"
    write_benchmark(benchmark)
    size = write_large_run(tmp_path / "run", benchmark, carry, make_program)
    programs = [make_program("right", number, size=10) for number in range(200)]
    tokenizer = make_tokenizer(CHATML, [*programs, benchmark.read_text()[:50_000]], size=3000)
    tokenizer.save_pretrained(tmp_path / "model")
    line = [sys.executable, "-m", "turnwise", "rft-data", "run", "-o", "data", "--turns", "all", "--against", "none"]
    line += ["--benchmark", str(benchmark), "--tokenizer", "model", "--learn", "last"]
    begun = time.monotonic()
    environ = {**os.environ, "TURNWISE_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(line, cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    report = read_report(tmp_path / "data")
    assert report.steps[0].single.dialogues + report.steps[0].multi.dialogues == PROBLEMS * SAMPLES
    last = report.steps[-1]
    assert last.single.problems == last.multi.problems == PROBLEMS
    assert used.ru_maxrss * 1024 < MOST_BYTES
    with capsys.disabled():
        print(f"\n{PROBLEMS * SAMPLES:,} dialogues, {size / 1e6:,.0f} MB of shards")
        seconds = used.ru_utime + used.ru_stime
        print(f"{time.monotonic() - begun:.0f} s, {seconds:.0f} CPU s, {used.ru_maxrss / 1024:.0f} MiB at the peak")
        for name, count in (("single-turn", last.single), ("multi-turn", last.multi)):
            print(f"{name}: {count.dialogues:,} dialogues, {count.tokens:,} tokens")
        for path in sorted((tmp_path / "data").iterdir()):
            print(f"{path.name}: {path.stat().st_size / 1e6:,.1f} MB")
