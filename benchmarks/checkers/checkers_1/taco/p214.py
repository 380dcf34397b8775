"""214: pictures, one of them liked at least, and weights whose sum stays below the prime."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2 * 10**5, "n")
    m = reader.integer(1, 3000, "m")
    if 1 not in reader.integers(n, 0, 1, "a"):
        reader.refuse("no picture is liked")
    if sum(reader.integers(n, 1, 998244352 - m, "w")) > 998244352 - m:
        reader.refuse("the sum of the weights is over 998244352 - m")
    reader.end()
