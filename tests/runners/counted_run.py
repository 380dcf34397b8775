"""A run whose model logs every call before it answers; a process of its own, for tests that kill it.

Arguments: run folder, cache folder, call log.
"""

import asyncio
import json
import os
import sys
from contextlib import closing
from importlib import resources
from pathlib import Path

from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Reply
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.loading import Machine, load_task
from turnwise.runners.models.replay import ReplaySampler
from turnwise.runners.models.sampler import Request
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.catalog import find_tasks
from turnwise.tasks.prompts import PromptSet

TASKS = "sample_codecontests_multiturn,sample_mbpp_plus_multiturn"
SETTINGS = RunSettings(samples_per_problem=2)


class LoggingSampler(ReplaySampler):
    """Recorded answers; each call stands in ``log`` before it is answered, which takes a while."""

    log = Path()

    async def generate(self, request: Request) -> Reply | None:
        """Log the call, wait, answer."""
        call = [request.task, request.problem, request.sample, request.turn, request.call]
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, json.dumps(call).encode() + b"\n")
        os.close(descriptor)
        await asyncio.sleep(0.005)
        return self.answer(request)


def main() -> None:
    """Run, or go on with, the run in the folder."""
    output, cache_dir, log = map(Path, sys.argv[1:])
    tasks = find_tasks(TASKS)
    answers = Path(str(resources.files("turnwise.benchmarks"))) / "sample" / "answers" / "repairing.jsonl"
    sampler = LoggingSampler(answers, benchmarks=[task.benchmark.name for task in tasks])
    sampler.log = log
    with closing(HardenedExecutor()) as executor:
        machine = Machine(executor, cache_dir, workers=2)
        loaded = [load_task(task, SETTINGS, machine) for task in tasks]
        sample(Job(loaded, sampler, SETTINGS, PromptSet.load()), machine, output=output)


if __name__ == "__main__":
    main()
