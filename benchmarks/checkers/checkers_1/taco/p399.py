"""399: fields of three rows with the hero in the first column and k trains of two cells at least."""

import re
from string import ascii_uppercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 10, "t")):
        n = reader.integer(2, 100, "n")
        k = reader.integer(1, 26, "k")
        rows = [reader.string(".s" + ascii_uppercase, n, n, "a row") for _ in range(3)]
        if sum(row.count("s") for row in rows) != 1 or "s" not in [row[0] for row in rows]:
            reader.refuse("the hero is not in the leftmost column, once")
        trains = [train for row in rows for train in re.findall(r"([A-Z])(\1*)", row)]
        letters = [letter for letter, _ in trains]
        if len(set(letters)) < len(letters):
            reader.refuse("the letters of the trains are not distinct")
        if len(trains) != k:
            reader.refuse(f"there are {len(trains)} trains, not k")
        if not all(rest for _, rest in trains):
            reader.refuse("a train has one cell only")
    reader.end()
