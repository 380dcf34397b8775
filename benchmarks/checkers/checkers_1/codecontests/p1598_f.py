"""1598_F: the maximum number of prefixes that are regular; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_LONGEST = 4 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    total = 0
    for _ in range(reader.integer(1, 20, "n")):
        total += len(reader.string("()", 1, _LONGEST, "s"))
        if total > _LONGEST:
            reader.refuse(f"the total length of the sequences is over {_LONGEST}")
    reader.end()
