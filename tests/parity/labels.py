"""Write the recorded answers to CodeContests as labels.

    python tests/parity/labels.py DATA_DIR RECORDED.jsonl.gz OUT.jsonl

Programs that the data mark as verified (they passed the public and the first 60 private and generated tests) are
right, source ``verified``. What a recorded model answered is of unknown truth: ``turnwise audit`` takes it as wrong
only where a checker refuses it on an original test.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path


def rows_of(path: Path) -> Iterator[dict[str, object]]:
    """Yield the objects of a gzipped file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row: dict[str, object] = json.loads(line)
            yield row


def labels_of(data_dir: Path, recorded: Path) -> Iterator[dict[str, object]]:
    """Yield one label a program: the verified ones, then the last program of each recorded dialogue."""
    names = set()
    for row in rows_of(data_dir / "codecontests" / "test.jsonl.gz"):
        names.add(row["name"])
        programs = row.get("_verified_model_solutions_python3")
        for program in programs if isinstance(programs, list) else []:
            yield {"problem": row["name"], "program": program, "verdict": "right", "source": "verified"}
    for row in rows_of(recorded):
        turns = row["turns"]
        program = turns[-1].get("code") if isinstance(turns, list) and turns else None
        if program and row["task_id"] in names:
            yield {"problem": row["task_id"], "program": program, "verdict": "unknown", "source": str(row["model"])}


if __name__ == "__main__":
    lines = [json.dumps(label) + "\n" for label in labels_of(Path(sys.argv[1]), Path(sys.argv[2]))]
    Path(sys.argv[3]).write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} labels")
