"""1586_I: UNIQUE with the only mastapeece, NONE or MULTIPLE; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2000, "n")
    for row in range(1, n + 1):
        reader.string("SG.", n, n, f"row {row}")
    reader.end()
