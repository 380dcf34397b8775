"""653: two different allowed cells, and the segments of allowed cells."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    start = reader.integers(2, 1, 10**9, "a coordinate")
    end = reader.integers(2, 1, 10**9, "a coordinate")
    if start == end:
        reader.refuse("the initial and the final position coincide")
    length = 0
    allowed = {"initial": False, "final": False}
    for _ in range(reader.integer(1, 10**5, "n")):
        row = reader.integer(1, 10**9, "r")
        low = reader.integer(1, 10**9, "a")
        high = reader.integer(low, 10**9, "b")
        length += high - low
        for name, (x, y) in (("initial", start), ("final", end)):
            allowed[name] |= x == row and low <= y <= high
    reader.end()
    if length > 10**5:
        reader.refuse("the total length of the segments is over 100000")
    for name in ("initial", "final"):
        if not allowed[name]:
            reader.refuse(f"the {name} position is no allowed cell")
