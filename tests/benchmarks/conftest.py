"""A good row of each schema, and writing rows to the place where the catalog looks for them."""

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

_PLACES = {
    "codecontests": "codecontests/test.jsonl",
    "taco": "taco/test.jsonl",
    "humaneval_plus": "humanevalplus/HumanEvalPlus.jsonl",
    "mbpp_plus": "mbppplus/MbppPlus.jsonl",
}


def _good_row(benchmark: str, number: int = 0, **changes: Any) -> dict[str, Any]:
    row: dict[str, Any]
    if benchmark == "codecontests":
        tests = [{"input": [f"{given}\n"], "output": [f"{given + 1}\n"]} for given in (1, 3, 5)]
        names = ("public_tests", "private_tests", "generated_tests")
        row = {"name": f"{number}_A. Next", "description": "Print the next.", **dict(zip(names, tests, strict=True))}
        row |= {"time_limit": {"seconds": 2, "nanos": 0}, "memory_limit_bytes": 256_000_000}
    elif benchmark == "taco":
        row = {"question": "Print the next.", "_index": number}
        row["input_output"] = json.dumps({"inputs": ["1\n", "3\n"], "outputs": ["2\n", "4\n"]})
    else:  # the inputs of no Mbpp/9xx are converted
        row = {"task_id": f"HumanEval/{number}" if benchmark == "humaneval_plus" else f"Mbpp/{number + 900}"}
        name, start = changes.get("entry_point", "f"), "" if benchmark == "humaneval_plus" else "def {}(x):\n"
        row |= {"prompt": f"def {name}(x):\n", "entry_point": name}
        row |= {"canonical_solution": start.format(name) + "    return x\n"}
        row |= {"base_input": [[1]], "plus_input": [[2]], "atol": 0}
    return {key: value for key, value in {**row, **changes}.items() if value != "@DELETED"}


@pytest.fixture
def good_row() -> Callable[..., dict[str, Any]]:
    """good_row(benchmark, number=0, **changed fields); a field is left out where it is "@DELETED"."""
    return _good_row


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """write(benchmark, rows or raw lines, place=""); "@HUGE" becomes an integer of 20,000 nines."""

    def write_file(benchmark: str, lines: Sequence[dict[str, Any] | bytes], place: str = "") -> Path:
        path = tmp_path / (place or _PLACES[benchmark])
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        content = b"".join(text.replace(b'"@HUGE"', b"9" * 20_000) + b"\n" for text in texts)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write_file
