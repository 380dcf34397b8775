"""1607_A: one right number for each keyboard and word."""

from string import ascii_lowercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    for _ in range(reader.integer(1, 1000, "t")):
        if len(set(reader.string(ascii_lowercase, 26, 26, "the keyboard"))) < 26:
            reader.refuse("a letter stands twice on the keyboard")
        reader.string(ascii_lowercase, 1, 50, "s")
    reader.end()
