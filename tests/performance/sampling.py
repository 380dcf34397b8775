"""Measures sampling: how full a server is kept, beside lockstep, judging inline, no cap and fixed caps.

Run by ``make bench`` (about a quarter of an hour); prints tables and asserts nothing. The server is simulated
(batching_server.py), in a process of its own; each way to sample is a process too, with the whole of
``sample``: gate, dialogues, judge, store. Judging takes log-normal times, which are slept.

    sampling.py [--batch 64] [--ratios 2,8] [--ways ...] [--caps ...]    the ways beside each other
    sampling.py --batch 256 --dialogues 33000 --samples 200    memory, event loop and CPU time of a long run
    sampling.py --overhead                     CPU time of a request beside raw aiohttp

Of the slots' time ``full`` is what was used; ``lost`` is empty while a dialogue that has another request to
make is not at the server, which is the client's fault; the rest is the end, when too few dialogues are left.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tabulate import tabulate

from turnwise.benchmarks.catalog import ProblemSet
from turnwise.records.problem import Limits, Problem, TestCase
from turnwise.records.settings import RunSettings, Sampling
from turnwise.records.trajectory import Reply
from turnwise.runners.drivers import drive
from turnwise.runners.execution.interface import Ending, Execution, Program
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.runners.models.gate import Gate
from turnwise.runners.models.openai.model import OpenAIModel
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.sampler import Request, request_of, take_outcome
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.dialogue import Ask, Dialogue, RunPublicTests
from turnwise.tasks.prompts import PromptSet

SERVER = Path(__file__).parents[1] / "runners" / "batching_server.py"
JUDGE_WORKERS = 8
JUDGE_SECONDS, JUDGE_SIGMA = 0.0075, 1.0
STATEMENT_CHARACTERS = 2400
LAG_SECONDS = 0.005
TASK = TASKS["sample_codecontests_multiturn"]


class SleepingExecutor:
    """Passes programs that say ``right``, after a time that depends on the program alone."""

    name, tier, interpreter = "sleeping 1", "none", "no Python"

    def __init__(self, source: bytes = b"") -> None:
        self._source = source

    def open(self, program: Program, language: str, limits: Limits) -> "SleepingExecutor":
        return SleepingExecutor(program.source)

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        first = self._source.split(b"\n")[0]
        for data in inputs:
            time.sleep(random.Random(first + data).lognormvariate(0, JUDGE_SIGMA) * JUDGE_SECONDS)
            yield Execution(Ending.FINISHED, first.split(b" ")[0])

    def close(self) -> None: ...

    def __enter__(self) -> "SleepingExecutor":
        return self

    def __exit__(self, *error: object) -> None: ...


class RecordingModel(OpenAIModel):
    """Notes when each dialogue had its last reply, and how late the event loop is."""

    def __init__(self, server: Server, sampling: Sampling) -> None:
        super().__init__(server, sampling)
        self.last: dict[tuple[str, int], float] = {}
        self.requests = 0
        self.lags: list[float] = []
        self.busy: list[float] = []
        self.limits: list[int] = []
        self._watch: asyncio.Task[None] | None = None

    async def generate(self, request: Request) -> Reply:
        if self._watch is None:
            self._watch = asyncio.create_task(self._look())
        reply = await super().generate(request)
        self.requests += 1
        self.limits.append(self.gate.limit)
        self.last[request.problem, request.sample] = time.monotonic()
        return reply

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        await super().close()

    async def _look(self) -> None:
        while True:
            due, cpu = time.monotonic() + LAG_SECONDS, time.process_time()
            await asyncio.sleep(LAG_SECONDS)
            self.lags.append(time.monotonic() - due)
            self.busy.append(min(self.lags[-1], time.process_time() - cpu))


def make_problems(count: int) -> tuple[Problem, ...]:
    """Return made-up problems, each with a statement of its own."""
    tests = (TestCase("1", "right"), TestCase("2", "right"))
    words = [f"word{number}" for number in range(999)]
    chance = random.Random(0)

    def statement() -> str:
        return " ".join(chance.choices(words, k=STATEMENT_CHARACTERS // 8))

    return tuple(
        Problem(f"made/{number}", "made", "test", statement(), tests, (TestCase("3", "right"),) * 4)
        for number in range(count)
    )


def run_sample(model: RecordingModel, problems: Sequence[Problem], folder: Path, settings: RunSettings) -> None:
    """Sample as turnwise run does."""
    source = ProblemSet("made", "test", tuple(problems), "made up", "0")
    job = Job([LoadedTask(TASK, source, tuple(problems))], model, settings, PromptSet.load())
    sample(job, Machine(SleepingExecutor(), folder / "cache", workers=JUDGE_WORKERS), output=folder / "run")


def _dialogues(problems: Sequence[Problem]) -> list[Dialogue]:
    settings = RunSettings()
    not_asked: Any = None
    job = Job([], not_asked, settings, PromptSet.load())
    plan = job.plan_of(LoadedTask(TASK, not_asked, ()))
    return [Dialogue(problem, 0, plan) for problem in problems]


async def run_lockstep(model: RecordingModel, problems: Sequence[Problem]) -> None:
    """All dialogues a turn at a time: ask for all, then judge all."""
    dialogues, judge = _dialogues(problems), Judge(SleepingExecutor(), workers=JUDGE_WORKERS)
    while steps := [(dialogue, step) for dialogue in dialogues if (step := dialogue.next_step()) is not None]:
        asks = [(dialogue, step) for dialogue, step in steps if isinstance(step, Ask)]
        for (dialogue, ask), reply in zip(
            asks, await asyncio.gather(*(model.generate(request_of(*one)) for one in asks)), strict=True
        ):
            take_outcome(dialogue, ask, reply)
        runs = [(one, step) for one, step in steps if isinstance(step, RunPublicTests)]
        requests = [JudgeRequest(one.problem, step.program, hidden=False) for one, step in runs]
        for (dialogue, _), report in zip(runs, judge.judge_many(requests), strict=True):
            dialogue.report(report)
    await model.close()


class InlineJudge(Judge):
    """Judges in the event loop, as code that was not written for one does."""

    async def judge_async(self, problem: Problem, program: str | None, *, hidden: bool = True) -> Any:
        return self.judge(problem, program, hidden=hidden)


async def run_inline(model: RecordingModel, problems: Sequence[Problem]) -> None:
    """All dialogues gathered, each judged where it stands."""
    judge = InlineJudge(SleepingExecutor())
    await asyncio.gather(*(drive(dialogue, model, judge) for dialogue in _dialogues(problems)))
    await model.close()


def run_client(way: str, port: int, dialogues: int, samples: int, turns: int) -> dict[str, Any]:
    """Return what one way to sample took, in this process."""
    caps = {"turnwise": 0, "no cap": dialogues, "lockstep": dialogues, "inline": dialogues}
    concurrency = caps[way] if way in caps else int(way)
    server = Server(f"http://127.0.0.1:{port}/v1", "simulated", concurrency=concurrency)
    problems = make_problems(dialogues // samples)
    settings = RunSettings(samples_per_problem=samples, max_turns=turns)
    with tempfile.TemporaryDirectory() as folder:
        begun, cpu = time.monotonic(), time.process_time()
        model = RecordingModel(server, Sampling(temperature=0.8))
        if way == "lockstep":
            asyncio.run(run_lockstep(model, problems))
        elif way == "inline":
            asyncio.run(run_inline(model, problems))
        else:
            run_sample(model, problems, Path(folder), settings)
    lags, busy = sorted(model.lags), sorted(model.busy)
    return {
        "begun": begun,
        "last": sorted(model.last.values()),
        "requests": model.requests,
        "cpu": time.process_time() - cpu,
        "lag": lags[int(0.99 * len(lags))],
        "busy": busy[int(0.99 * len(busy))],
        "limit": sorted(model.limits)[len(model.limits) // 2],
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


@contextmanager
def running_server(batch: int) -> Iterator[int]:
    """Yield the port of a simulated server."""
    with subprocess.Popen([sys.executable, SERVER, str(batch)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["port"]
        finally:
            process.kill()


def measure(way: str, batch: int, dialogues: int, *, samples: int = 1, turns: int = 3) -> dict[str, Any]:
    """Return shares of the slots' time and the client's costs for one way to sample."""
    with running_server(batch) as port:
        command = [sys.executable, __file__, "--client", way, "--port", str(port), "--dialogues", str(dialogues)]
        command += ["--samples", str(samples), "--turns", str(turns)]
        client = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/timeline") as answer:
            served = json.load(answer)
    shares = _shares(served["timeline"], client["last"], batch, dialogues)
    return {**client, **shares, "unread": 1 - served["read"] / served["asked"]}


def _shares(timeline: list[list[float]], last: list[float], batch: int, dialogues: int) -> dict[str, float]:
    """Integrate the timeline; ``last`` are the times at which dialogues needed the server no more."""
    start, end = timeline[0][0], last[-1]
    full = lost = fed = fed_full = 0.0
    done = 0
    changes = sorted([(at, running, there) for at, running, there in timeline] + [(at, -1, -1) for at in last])
    running, there, before = 0.0, 0.0, start
    for at, now_running, now_there in changes:
        seconds = min(at, end) - before
        if seconds > 0:
            unfinished = dialogues - done
            full += seconds * running
            lost += seconds * min(batch - running, max(0.0, unfinished - there))
            if unfinished >= batch:
                fed += seconds * batch
                fed_full += seconds * running
            before = min(at, end)
        if now_running < 0:
            done += 1
        else:
            running, there = now_running, now_there
    wall = end - start
    return {"wall": wall, "full": full / wall / batch, "lost": lost / wall / batch, "fed": fed_full / max(fed, 1e-9)}


def compare(batch: int, ratios: Sequence[int], ways: Sequence[str], factors: Sequence[float]) -> None:
    """Print the ways to sample beside each other, and beside caps of ``factors`` times the batch."""
    for ratio in ratios:
        rows = []
        caps = [str(round(factor * batch)) for factor in factors]
        found = {}
        for way in (*ways, *caps):
            print(f"{ratio * batch} dialogues: {way}", file=sys.stderr, flush=True)
            found[way] = measure(way, batch, ratio * batch)
        best = min(found[cap]["wall"] for cap in caps or ways)
        for way, one in found.items():
            row = [f"cap {way}" if way in caps else way, one["wall"], one["wall"] / best]
            row += [100 * one[name] for name in ("full", "fed", "lost", "unread")]
            row += [one["limit"], 1000 * one["lag"], 1000 * one["cpu"] / one["requests"], one["memory"]]
            rows.append(row)
        print(f"\nbatch {batch}, {ratio * batch} dialogues, {found['turnwise']['requests']} requests")
        print(tabulate(rows, HEADERS, floatfmt=FORMATS))


HEADERS = ["way", "wall s", "x best cap", "full %", "full % while fed", "lost %", "cache %", "limit"]
HEADERS += ["lag p99 ms", "CPU ms/request", "MB"]
FORMATS = ("", ".1f", ".3f", ".1f", ".1f", ".2f", ".1f", ".0f", ".1f", ".2f", ".0f")


def show_long_run(dialogues: int, batch: int, *, samples: int, turns: int) -> None:
    """Print what a run of many dialogues takes."""
    one = measure("turnwise", batch, dialogues, samples=samples, turns=turns)
    print(f"batch {batch}, {dialogues} dialogues, {one['requests']} requests in {one['wall']:.0f} s: ", end="")
    print(f"{one['memory']:.0f} MB, lag p99 {1000 * one['lag']:.1f} ms ", end="")
    print(f"(of which at most {1000 * one['busy']:.1f} ms CPU time of this process), ", end="")
    print(f"{1000 * one['cpu'] / one['requests']:.2f} ms CPU a request, {100 * one['lost']:.2f} % lost")


async def _ask_many(ask: Any, count: int, at_a_time: int) -> float:
    gate = Gate(at_a_time)

    async def one(number: int) -> None:
        async with gate.slot(urgent=False):
            await ask(number)

    cpu = time.process_time()
    await asyncio.gather(*(one(number) for number in range(count)))
    return 1000 * (time.process_time() - cpu) / count


async def measure_overhead(port: int, count: int = 2000, at_a_time: int = 64) -> dict[str, float]:
    """Return CPU milliseconds of the client for one request, by client."""
    base_url, found = f"http://127.0.0.1:{port}/v1", {}
    content = "x" * STATEMENT_CHARACTERS
    model = OpenAIModel(Server(base_url, "simulated", concurrency=at_a_time), Sampling())
    from turnwise.records.trajectory import Message

    message = Message("user", "statement", "statement", content)
    found["turnwise"] = await _ask_many(
        lambda number: model.generate(Request("t", "p", number, 0, 0, (message,), number)), count, at_a_time
    )
    await model.close()
    try:
        import aiohttp
    except ImportError:
        return found
    async with aiohttp.ClientSession() as session:

        async def ask(number: int) -> None:
            body = {"model": "m", "messages": [{"role": "user", "content": content}], "seed": number}
            async with session.post(f"{base_url}/chat/completions", json=body) as answer:
                json.loads(await answer.read())

        found["raw aiohttp"] = await _ask_many(ask, count, at_a_time)
    return found


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--ratios", default="2,8")
    parser.add_argument("--ways", default="turnwise,no cap,lockstep,inline")
    parser.add_argument("--caps", default="1,1.1,1.25,1.5,2")
    parser.add_argument("--dialogues", type=int, default=0)
    parser.add_argument("--samples", type=int, default=1, help="of each problem")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--overhead", action="store_true")
    parser.add_argument("--client", default="")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    if options.client:
        print(json.dumps(run_client(options.client, options.port, options.dialogues, options.samples, options.turns)))
    elif options.overhead:
        with running_server(1000) as port:
            print({name: round(one, 2) for name, one in asyncio.run(measure_overhead(port)).items()})
    elif options.dialogues:
        show_long_run(options.dialogues, options.batch, samples=options.samples, turns=options.turns)
    else:
        caps = [float(one) for one in options.caps.split(",") if one]
        compare(options.batch, list(map(int, options.ratios.split(","))), options.ways.split(","), caps)


if __name__ == "__main__":
    main()
