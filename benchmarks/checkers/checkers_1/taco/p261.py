"""261: bracket sequences with question marks, each of which can be made regular."""

from turnwise.benchmarks.checkers.library import Invalid, Reader

_MOST_IN_ALL = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    length = 0
    for _ in range(reader.integer(1, 5 * 10**4, "t")):
        sequence = reader.string("()?", 1, _MOST_IN_ALL, "a sequence")
        length += len(sequence)
        if length > _MOST_IN_ALL:
            reader.refuse("the total length is over 200000")
        if not _can_be_regular(sequence):
            reader.refuse("no regular bracket sequence can be recovered")
    reader.end()


def _can_be_regular(sequence: str) -> bool:
    """Return whether the least and the most open brackets after each character allow none in the end."""
    least = most = 0
    for character in sequence:
        least += 1 if character == "(" else -1
        most += -1 if character == ")" else 1
        if most < 0:
            return False
        if least < 0:
            least += 2
    return least == 0
