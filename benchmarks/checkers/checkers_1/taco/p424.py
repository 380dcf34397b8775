"""424: at most three different circles."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    circles = []
    for _ in range(reader.integer(1, 3, "n")):
        x, y = reader.integer(-10, 10, "x"), reader.integer(-10, 10, "y")
        circles.append((x, y, reader.integer(1, 10, "r")))
    reader.end()
    if len(set(circles)) < len(circles):
        reader.refuse("the circles are not distinct")
