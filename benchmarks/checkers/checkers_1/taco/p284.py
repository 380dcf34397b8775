"""284: passwords of lowercase letters."""

from string import ascii_lowercase

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = 0
    for _ in range(reader.integer(1, 2 * 10**5, "n")):
        length += len(reader.string(ascii_lowercase, 1, 50, "a password"))
    if length > 10**6:
        reader.refuse("the total length is over 1000000")
    reader.end()
