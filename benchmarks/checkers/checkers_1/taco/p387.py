"""387: different cells of a table."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 200_000, "n")
    m = reader.integer(1, 200_000, "m")
    q = reader.integer(0, min(n * m, 200_000), "q")
    cells = [(reader.integer(1, n, "r"), reader.integer(1, m, "c")) for _ in range(q)]
    reader.end()
    if len(set(cells)) < len(cells):
        reader.refuse("the elements are not distinct")
