"""A good row of each schema, and writing rows to the place where the catalog looks for them."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
FILES = {
    "codecontests": "codecontests/test.jsonl",
    "taco": "taco/test.jsonl",
    "humaneval_plus": "humanevalplus/HumanEvalPlus.jsonl",
    "mbpp_plus": "mbppplus/MbppPlus.jsonl",
}
# json.dumps refuses long integers; a string of this text becomes one in the file.
HUGE_MARK, HUGE_DIGITS = "@HUGE", "9" * 20_000


def _good_row(benchmark: str, number: int = 0, **changes: Any) -> Row:
    one = {"input": ["1\n"], "output": ["2\n"]}
    tests = json.dumps({"inputs": ["1\n", "2\n"], "outputs": ["2\n", "3\n"]})
    call = {"prompt": "def f(x):\n", "entry_point": "f", "canonical_solution": "    return x\n", "atol": 0}
    inputs = {"base_input": [[1]], "plus_input": [[2]]}
    rows: dict[str, Row] = {
        "codecontests": {
            "name": f"{number}_A. Next",
            "description": "Print the next number.",
            "public_tests": one,
            "private_tests": {"input": ["3\n"], "output": ["4\n"]},
            "generated_tests": {"input": ["5\n"], "output": ["6\n"]},
            "time_limit": {"seconds": 2, "nanos": 0},
            "memory_limit_bytes": 256_000_000,
        },
        "taco": {"question": "Print the next number.", "input_output": tests, "_index": number},
        "humaneval_plus": {"task_id": f"HumanEval/{number}", **call, **inputs},
        "mbpp_plus": {"task_id": f"Mbpp/{number + 900}", **call, **inputs},  # the inputs of no 9xx are converted
    }
    return {**rows[benchmark], **changes}


def _write_lines(folder: Path, place: str, lines: Sequence[Row | bytes]) -> Path:
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    content = b"".join(text.replace(f'"{HUGE_MARK}"'.encode(), HUGE_DIGITS.encode()) + b"\n" for text in texts)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture
def good_row() -> Callable[..., Row]:
    """good_row(benchmark, number, **changed fields)"""
    return _good_row


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """write(benchmark, rows or raw lines, place="") puts them below tmp_path and returns the file."""

    def write_file(benchmark: str, lines: Sequence[Row | bytes], place: str = "") -> Path:
        return _write_lines(tmp_path, place or FILES[benchmark], lines)

    return write_file
