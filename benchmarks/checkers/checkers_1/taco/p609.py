"""609: a string of even length, and pairs of its places."""

from string import ascii_letters

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = len(reader.string(ascii_letters, 2, 10**5, "s"))
    if length % 2:
        reader.refuse("the length of s is odd")
    for _ in range(reader.integer(1, 10**5, "q")):
        one, other = reader.integer(1, length, "x"), reader.integer(1, length, "y")
        if one == other:
            reader.refuse(f"x and y are both {one}")
    reader.end()
