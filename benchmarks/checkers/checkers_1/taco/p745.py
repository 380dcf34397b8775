"""745: rectangles, and two points at least on each side, in order."""

from itertools import pairwise

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    count = 0
    for _ in range(reader.integer(1, 10**4, "t")):
        w = reader.integer(3, 10**6, "w")
        h = reader.integer(3, 10**6, "h")
        for length in (w, w, h, h):
            points = reader.integers(reader.integer(2, 2 * 10**5, "k"), 1, length - 1, "a point")
            count += len(points)
            if count > 2 * 10**5:
                reader.refuse("the number of points is over 200000")
            if any(one >= other for one, other in pairwise(points)):
                reader.refuse("the points of a side are not in ascending order")
    reader.end()
