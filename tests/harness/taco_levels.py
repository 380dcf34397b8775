"""A made-up TACO with problems of all five levels, and a program for each, right or wrong as the level says."""

import json
from collections.abc import Mapping
from pathlib import Path

# By level: its problems, and how many of them are solved.
LEVELS = {"EASY": (3, 2), "MEDIUM": (2, 1), "MEDIUM_HARD": (4, 1), "HARD": (1, 0), "VERY_HARD": (1, 1)}


def write_levels(folder: Path, levels: Mapping[str, tuple[int, int]]) -> dict[str, str]:
    """Write taco/test.jsonl below ``folder``, the hardest problems first; return the program by statement."""
    rows, programs = [], {}
    for level, (problems, solved) in reversed(levels.items()):
        for number in range(problems):
            wanted = 1000 + len(rows)
            statement = f"Print the number {wanted}."
            tests = {"inputs": ["\n", "x\n"], "outputs": [f"{wanted}\n"] * 2}
            rows.append({"question": statement, "input_output": json.dumps(tests), "difficulty": level})
            programs[statement] = f"print({wanted})" if number < solved else "print()"
    (folder / "taco").mkdir(parents=True)
    (folder / "taco" / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return programs
