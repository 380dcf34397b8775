"""The page on 100 rows with 2,000 dialogues of three turns: making it, its size, first paint, filters, memory.

    python tests/performance/page.py

Runs are written by a fixed generator: 25 models on 4 tasks of 10 problems, two dialogues each. Times in the browser
are medians of several tries in headless Chromium; without Chromium only making the page is measured.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.page.dialogues import DialogueReader
from turnwise.records.codec import to_line
from turnwise.records.settings import JudgeRecord, PromptsRecord

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "leaderboard" / "page"))

from chromium import Chromium, find_chromium

from turnwise.exchange.runs import find_runs
from turnwise.leaderboard.charts.files import vega_script
from turnwise.leaderboard.page.site import SiteOptions, write_site
from turnwise.leaderboard.report import score_runs
from turnwise.records.judgement import Judgement, program_hash
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.run_folder import (
    AskedProblem,
    RunFolder,
    RunRecord,
    TaskRecord,
    cut_shards,
    plan_lines,
    plan_order,
)
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn

MODELS, TASKS, PROBLEMS, SAMPLES, TURNS = 25, 4, 10, 2, 3
TRIES = 7
_ENVIRONMENT = Environment("planned 1", "A", "CPython 3.11", "tokens")


def main() -> None:
    """Print a row for each figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(MODELS):
            _write_run(folder / "runs" / f"model{number:02d}", number)
        vega = vega_script(folder / "cache")
        start, cpu = time.perf_counter(), time.process_time()
        reader = DialogueReader(pack=True)
        scored = score_runs(read_runs(find_runs(folder / "runs"), witness=reader))
        page = write_site(folder / "site", scored, reader, SiteOptions(vega), lambda *_: None)
        print(f"rows {len(scored)}, dialogues {sum(one.outcomes.dialogues for one in scored)}")
        print(f"making it: {time.process_time() - cpu:.1f} s of CPU time, {time.perf_counter() - start:.1f} s")
        print(f"size: {page.stat().st_size / 1e6:.2f} MB, of which Vega {len(vega) / 1e6:.2f} MB")
        if find_chromium():
            _measure(page)


def _measure(path: Path) -> None:
    paints, filters, tasks, viewers, heaps = [], [], [], [], []
    with Chromium.start() as browser:
        browser.open(path).close()
        for _ in range(TRIES):
            page = browser.open(path)
            page.until("document.querySelector('#matrix button') !== null")
            entry = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            paints.append(page.until(entry))
            filters.append(
                page.evaluate(_timed("byId('search')", "one.value = 'model 1'; one.dispatchEvent(new Event('input'))"))
            )
            tasks.append(page.evaluate(_timed("document.querySelector('[data-task=\"*\"]')", "one.click()")))
            viewers.append(page.evaluate(_OPENED))
            heaps.append(page.send("Runtime.getHeapUsage")["usedSize"] / 1e6)
            page.close()
    for label, values, unit in (
        ("first paint", paints, "ms"),
        ("filter by name", filters, "ms"),
        ("from one task to all", tasks, "ms"),
        ("opening a dialogue", viewers, "ms"),
        ("JavaScript heap", heaps, "MB"),
    ):
        print(f"{label}: {statistics.median(values):.0f} {unit} ({min(values):.0f} to {max(values):.0f})")


def _timed(element: str, action: str) -> str:
    """Return an expression for the milliseconds from an action to the next frame, layout included."""
    element = element.replace("byId(", "document.getElementById(")
    return (
        f"new Promise((done) => {{ const one = {element}; const start = performance.now(); {action};"
        "document.body.offsetHeight; requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))); })"
    )


_OPENED = """new Promise((done) => { const start = performance.now();
const look = () => document.querySelector('#viewer .turn') ? done(performance.now() - start) : setTimeout(look, 1);
document.querySelector('#matrix button').click(); look(); })"""


def _write_run(path: Path, number: int) -> None:
    chance = random.Random(number)
    problems = [
        AskedProblem(id=f"b/{letter}", difficulty=str(800 + 100 * place)) for place, letter in enumerate("abcdefghij")
    ]
    settings = RunSettings(samples_per_problem=SAMPLES, n_at_k=("1@6",))
    tasks = [
        TaskRecord(
            task=f"task{place}_multiturn",
            benchmark=f"b{place}",
            split="test",
            max_turns=TURNS,
            strategy="multi_turn",
            data_sha256="0" * 64,
            loaded=PROBLEMS,
            asked=problems,
        )
        for place in range(TASKS)
    ]
    record = RunRecord(
        turnwise="0",
        model={"back_end": "planned", "model": f"model {number} {2 ** (number % 7)}B"},
        settings=settings,
        prompts=PromptsRecord("turnwise-1", {}),
        tasks=tasks,
        judge=JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0),
    )
    folder = RunFolder(path)
    path.mkdir(parents=True)
    folder.run_json.write_text(to_line(record))
    shards = [shard for task in tasks for shard in cut_shards(task.task, plan_order(task, SAMPLES), size=64)]
    (path / "shards.jsonl").write_text(plan_lines(shards))
    judged = []
    for shard in shards:
        dialogues = [_dialogue(shard.task, *key, chance) for key in shard.keys]
        folder.shard_file(shard).parent.mkdir(parents=True)
        folder.shard_file(shard).write_text("".join(to_line(one) + "\n" for one in dialogues))
        judged += [_judge(one, chance) for one in dialogues]
    (path / "verdicts").mkdir()
    (path / "verdicts" / "main.jsonl").write_text("".join(to_line(one) + "\n" for one in judged))


_VOCABULARY = ["".join(random.Random(n).choices("etaoinshrdlu", k=2 + n % 7)) for n in range(600)]


def _words(chance: random.Random, count: int) -> str:
    """Return words as often as languages have them: the n-th is n times rarer than the first."""
    return " ".join(chance.choices(_VOCABULARY, weights=[1 / (n + 1) for n in range(600)], k=count))


def _dialogue(task: str, problem: str, sample: int, chance: random.Random) -> Trajectory:
    statement = _words(random.Random(problem), 250)
    lines = [
        f"    value_{line} = {_words(chance, 1)}({chance.randint(0, 999)}, {_words(chance, 1)!r})" for line in range(30)
    ]
    turns = []
    for number in range(TURNS):
        lines[chance.randrange(30)] = f"    changed = {chance.random()}"
        program = "def main():\n" + "\n".join(lines) + "\n\nmain()\n"
        kind, text = ("statement", statement) if number == 0 else ("feedback", _words(chance, 60))
        reply = Reply(f"{_words(chance, 40)}\n\n```python\n{program}```\n", prompt_tokens=400, completion_tokens=300)
        verdict = Verdict.PASSED if number == TURNS - 1 else Verdict.WRONG_ANSWER
        results = (TestResult(0, verdict, output=_words(chance, 8)),)
        call = Call((Message("user", kind, kind, text),), reply)
        turns.append(Turn((call,), program, Report(problem, verdict, results, None, _ENVIRONMENT)))
    return Trajectory(task, problem, sample, 0, tuple(turns), End.PUBLIC_PASSED)


def _judge(one: Trajectory, chance: random.Random) -> Judgement:
    verdict = Verdict.PASSED if chance.random() < 0.6 else Verdict.WRONG_ANSWER
    place = (one.task, one.problem, one.sample, TURNS - 1, program_hash(one.turns[-1].program or ""))
    return Judgement(*place, verdict, public_passed=True, tests_run=9, cpu_seconds=0.1, tier="A", key=json.dumps(place))


if __name__ == "__main__":
    main()
