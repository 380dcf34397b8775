"""What checkers cost: python tests/performance/checking.py [DATA_DIR RECORDED.jsonl.gz]

By default the data are those of the tests, which are said to be absent where they are. The recorded answers to
CodeContests are judged by equality and by checkers, twice each and in turns, on all tests and on the valid ones,
without a cache. CPU seconds are those of all processes together; ratios from one run count. Checkers let programs go on
that equality stops at an early test, so the tests that were run are counted beside.
"""

import gzip
import json
import os
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from turnwise.benchmarks.catalog import load_problems
from turnwise.records.problem import Problem
from turnwise.records.report import Report
from turnwise.records.settings import JudgeSettings
from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.judging.checking import Checkers
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.loading import Machine, as_judged

ROUNDS = 2


def cpu_seconds() -> float:
    """Return what this process and all that have ended below it have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def judge(
    problems: Sequence[Problem], programs: Sequence[tuple[str, str]], settings: JudgeSettings, cache: Path
) -> tuple[float, list[Report]]:
    """Return the CPU seconds of judging ``programs``, by problem name, and their reports; loading is not counted."""
    with Checkers() as checkers:
        executor = HardenedExecutor()
        machine = Machine(executor, cache, workers=2, checkers=checkers)
        known = {one.name: one for one in as_judged("codecontests", problems, machine, settings)}
        checkers.close()
        begun = cpu_seconds()
        judging = Judge(executor, workers=2, checkers=checkers)
        asked = [JudgeRequest(known[name], program) for name, program in programs if known[name].is_scorable]
        reports = list(judging.judge_many(asked))
        judging.close()
        executor.close()
    return cpu_seconds() - begun, reports


def read_programs(path: Path, names: set[str]) -> list[tuple[str, str]]:
    """Return the last program of each recorded dialogue about one of the problems ``names``."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [
        (row["task_id"], row["turns"][-1]["code"])
        for row in rows
        if row["turns"] and row["turns"][-1].get("code") and row["task_id"] in names
    ]


def main(data_dir: Path, recorded: Path) -> None:
    problems = load_problems("codecontests", data_dir=data_dir).scorable
    programs = read_programs(recorded, {one.name for one in problems})
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for tests in ("all", "valid"):
            seconds: dict[str, list[float]] = {"equality": [], "checkers-1": []}
            reports: dict[str, list[Report]] = {}
            for _ in range(ROUNDS):
                for answers, taken in seconds.items():
                    settings = JudgeSettings(answers=answers, tests=tests)
                    used, reports[answers] = judge(problems, programs, settings, Path(folder))
                    taken.append(used)
            without, with_checkers = (min(taken) for taken in seconds.values())
            run = [sum(len(one.public) + len(one.hidden or ()) for one in found) for found in reports.values()]
            rows.append([tests, len(programs), *run, without, with_checkers, with_checkers / without])
    headers = ["tests", "programs", "run by equality", "by checkers", "CPU s by equality", "by checkers", "ratio"]
    print(tabulate(rows, headers, floatfmt=".2f"))


if __name__ == "__main__":
    shared = Path(__file__).resolve().parents[3] / "shared"
    full = Path(os.environ.get("TURNWISE_TEST_FULL", shared / "full"))
    answers = Path(os.environ.get("TURNWISE_TEST_DATA", shared / "data")) / "recorded" / "codecontests.jsonl.gz"
    if len(sys.argv) == 3:
        full, answers = map(Path, sys.argv[1:])
    if full.is_dir() and answers.is_file():
        main(full, answers)
    else:
        print(f"not measured: there is no {full}, or no {answers}")
