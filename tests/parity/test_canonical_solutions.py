"""Every canonical solution of HumanEval+ and MBPP+ as released, judged by one command: 164 of 164 and 378 of 378.

The memory is that of all processes of the command together, pages that they share counted once.
"""

import gzip
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

TASKS = ("humaneval_plus_singleturn", "mbpp_plus_singleturn")
FILES = ("humanevalplus/HumanEvalPlus.jsonl.gz", "mbppplus/MbppPlus.jsonl.gz")
DENOMINATORS = (164, 378)
MOST_MEMORY_BYTES = 8 * 2**30
_LOOK_SECONDS = 0.2

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.long]


def _canonical_solutions(full_dir: Path) -> list[dict[str, str]]:
    lines = [line for name in FILES for line in gzip.decompress((full_dir / name).read_bytes()).splitlines()]
    rows = list(map(json.loads, lines))
    return [
        {
            "task_id": row["task_id"],
            "solution": (row["prompt"] if row["task_id"].startswith("HumanEval") else "") + row["canonical_solution"],
        }
        for row in rows
    ]


def _processes(first: int) -> list[int]:
    found = [first]
    for process in found:
        with suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _memory_bytes(process: int) -> int:
    """Return the process's own memory and its part of what it shares."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def test_all_canonical_solutions_of_the_released_files_pass(full_dir: Path, tmp_path: Path) -> None:
    """164 of 164 and 378 of 378, Mbpp/255 and Mbpp/793 among them, in less than 8 GiB for the whole command."""
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(json.dumps(row) + "\n" for row in _canonical_solutions(full_dir)), encoding="utf-8")
    options = ["-M", "replay", "-a", f"path={answers}", "-t", ",".join(TASKS), "--data-dir", str(full_dir)]
    command = [sys.executable, "-m", "turnwise", "run", *options, "--workers", "2", "-o", str(tmp_path / "run")]
    most = 0
    with (tmp_path / "said").open("wb") as said:
        environment = {**os.environ, "TURNWISE_CACHE": str(tmp_path / "cache")}
        running = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        while running.poll() is None:
            most = max(most, sum(map(_memory_bytes, _processes(running.pid))))
            time.sleep(_LOOK_SECONDS)
    told = (tmp_path / "said").read_text(encoding="utf-8", errors="replace")
    print(told, f"peak memory of all processes: {most / 2**30:.2f} GiB", sep="\n")
    assert running.returncode == 0, told[-4000:]
    asked = {task["task"]: task for task in json.loads((tmp_path / "run" / "run.json").read_text())["tasks"]}
    assert [len(asked[name]["asked"]) for name in TASKS] == list(DENOMINATORS)
    assert not any("tests_left_out" in one["flags"] for task in asked.values() for one in task["asked"])
    rows = {line.split()[1]: line.split() for line in told.splitlines() if len(line.split()) > 5}
    for name, count in zip(TASKS, DENOMINATORS, strict=True):
        assert rows[name][2:7] == [str(count), "of", str(count), str(count), "100.0"], told
    assert most < MOST_MEMORY_BYTES
