"""A run of 1,000 nodes without SLURM: its plan, its leases in virtual time, its files, and merging them.

    python tests/slurm/scale.py FOLDER [--workers 1000] [--problems 165] [--samples 2000] [--shards 5600]

Prints one JSON object. Workers are the real Leases on real files; only sampling is replaced, by a draw of
minutes, and each committed trajectory is one of the bundled sample under another name.
"""

import argparse
import heapq
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.codec import to_line
from turnwise.records.run_folder import (
    AskedProblem,
    RunFolder,
    RunRecord,
    Shard,
    TaskRecord,
    cut_shards,
    digest_file,
    digest_line,
    plan_order,
)
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings
from turnwise.runners.work import freeze
from turnwise.slurm.claims import Claims, Heartbeat, Leases, Owner
from turnwise.slurm.events import Event, EventLog
from turnwise.slurm.shards import order_for
from turnwise.slurm.submission import SAMPLE, ClusterFolder, worker_name

TASK = "sample_mbpp_plus_multiturn"
COUNTED = {"open": "open", "os.listdir": "list", "os.scandir": "list", "os.utime": "touch", "os.mkdir": "mkdir"}
COUNTED |= {"os.link": "link", "os.rename": "rename", "os.remove": "remove"}
MERGE = """
import json, sys, time
from pathlib import Path
from turnwise.slurm.shards import merge_run
from turnwise.records.run_folder import RunFolder
begun = time.monotonic()
merged = merge_run(RunFolder(Path(sys.argv[1])))
status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
print(json.dumps({"dialogues": merged.dialogues, "merge_seconds": round(time.monotonic() - begun, 1),
                  "peak_megabytes": peak}))
"""


class Operations:
    """Counts what is asked of the file system below a folder, by Python's audit events."""

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._folder = str(folder)
        self.is_on = False
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and event in COUNTED and str(arguments[0]).startswith(self._folder):
            self.counts[COUNTED[event]] += 1


class QuietEvents(EventLog):
    """Writes each event as a worker does, without waiting for the disk."""

    def write(self, event: Event) -> None:
        """Append one event."""
        self._log.write(to_line(replace(event, time=0.0)))


def record_of(problems: int, samples: int) -> RunRecord:
    """Return run.json of a run of so many problems and samples."""
    asked = tuple(AskedProblem(id=f"sample_mbpp_plus/Simulated/{number}") for number in range(problems))
    task = TaskRecord(
        task=TASK,
        benchmark="sample_mbpp_plus",
        split="test",
        max_turns=3,
        strategy="multi_turn",
        data_sha256="0" * 64,
        loaded=problems,
        asked=asked,
    )
    settings = RunSettings(samples_per_problem=samples)
    judge = JudgeRecord("hardened 1", "CPython 3.11", "tokens", 1.0)
    return RunRecord("0", {"model": "simulated"}, settings, judge, PromptsRecord("turnwise-1", {}), (task,))


def trajectory_line() -> dict[str, Any]:
    """Return one trajectory of two turns, as large as real ones are."""
    statement = load_problems("sample_mbpp_plus").scorable[0].statement
    environment = {"executor": "hardened 1", "interpreter": "CPython 3.11", "matcher": "tokens", "tier": "A"}
    message = {"role": "user", "kind": "statement", "prompt_id": "statement", "content": statement * 20}
    reply = {"text": "```python\nprint(1)\n```" * 40, "reasoning": "", "finish_reason": "stop"}
    return {"message": message, "reply": reply, "environment": environment}


def simulate_leases(run: RunFolder, workers: int, operations: Operations, seed: int = 0) -> dict[str, Any]:
    """Carry out the sampling leases of a run in virtual time; return operations and times."""
    cluster = ClusterFolder(run.path)
    generator = random.Random(seed)
    shards = list(run.shards)
    waiting: list[tuple[float, int]] = [(0.05 * slot, slot) for slot in range(workers)]  # staggered starts
    heapq.heapify(waiting)
    leases: dict[int, Any] = {}
    open_shards: dict[int, Shard] = {}
    taken: list[tuple[str, int]] = []
    per_second: Counter[int] = Counter()
    end, beaten = 0.0, time.monotonic()
    operations.is_on = True
    while waiting:
        now, slot = heapq.heappop(waiting)
        if time.monotonic() - beaten > 30:  # they all live, however long the simulation takes
            operations.is_on = False
            beaten = time.monotonic()
            for path in (cluster.path / "heartbeats").iterdir():
                path.touch()
            operations.is_on = True
        before = operations.counts.total()
        if slot not in leases:
            worker = worker_name(1, SAMPLE, slot)
            heartbeat = Heartbeat(cluster.heartbeat(worker))
            heartbeat.beat(now=True)
            events = QuietEvents(cluster.events(worker))
            order = list(order_for(slot, shards, workers=workers))
            claims = Claims(cluster.claims(SAMPLE), worker)
            one = Leases(
                claims,
                order,
                Owner(worker, "1", "n"),
                heartbeat=heartbeat,
                events=events,
            )
            one.take_back(())
            leases[slot] = (one, one.fresh(), events)
        one, fresh, events = leases[slot]
        if slot in open_shards:
            one.done(open_shards.pop(slot))
        shard = next(fresh, None)
        per_second[int(now)] += operations.counts.total() - before
        if shard is None:
            events.close()
            end = max(end, now)
            continue
        open_shards[slot] = shard
        taken.append((shard.task, shard.number))
        heapq.heappush(waiting, (now + generator.uniform(600, 1200), slot))
    operations.is_on = False
    assert sorted(taken) == sorted((shard.task, shard.number) for shard in shards), "each shard is taken once"
    beats = workers * end / 20
    return {
        "hours": round(end / 3600, 2),
        "operations": dict(operations.counts),
        "heartbeats": round(beats),
        "operations_per_second_mean": round((operations.counts.total() + beats) / end, 1),
        "operations_per_second_peak": max(per_second.values()) + workers // 20,
    }


def write_shards(run: RunFolder) -> None:
    """Commit every shard, with trajectories as large as real ones."""
    parts = trajectory_line()
    report = {"public": [], "environment": parts["environment"]}
    for shard in run.shards:
        lines = []
        for problem, sample in shard.keys:
            turn = {
                "calls": [{"messages": [parts["message"]], "reply": parts["reply"]}],
                "program": "print(1)",
                "public_report": report,
            }
            one = {"schema": 1, "task": TASK, "problem": problem, "sample": sample, "seed": 1}
            lines.append(json.dumps({**one, "turns": [turn, turn], "end": "solved", "submission_turn": 1}))
        data = ("\n".join(lines) + "\n").encode("ascii")
        path = run.shard_file(shard)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        digest_file(path).write_text(digest_line(path, data))


def main() -> None:
    """Simulate, commit, merge; print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, value in (("workers", 1000), ("problems", 165), ("samples", 2000), ("shards", 5600)):
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    run = RunFolder(given.folder)
    given.folder.mkdir(parents=True)
    record = record_of(given.problems, given.samples)

    def cut(record: RunRecord) -> list[Shard]:
        order = plan_order(record.tasks[0], given.samples)
        return list(cut_shards(TASK, order, size=-(-len(order) // given.shards)))

    begun = time.monotonic()
    freeze(run, record, cut)
    found: dict[str, Any] = {"shards": len(run.shards), "plan_seconds": round(time.monotonic() - begun, 1)}
    found |= simulate_leases(run, given.workers, Operations(given.folder))
    write_shards(run)
    found["files"] = sum(path.is_file() for path in given.folder.rglob("*"))
    found["gigabytes"] = round(sum(path.stat().st_size for path in given.folder.rglob("*.jsonl")) / 1e9, 2)
    merging = subprocess.run([sys.executable, "-c", MERGE, str(given.folder)], capture_output=True, check=True)
    print(json.dumps({**found, **json.loads(merging.stdout)}))


if __name__ == "__main__":
    main()
