"""1581_A: the number of permutations of length 2n with n or more rises, modulo 1000000007."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_LENGTHS = 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    lengths = 0
    for _ in range(reader.integer(1, _LENGTHS, "t")):
        lengths += reader.integer(1, _LENGTHS, "n")
        if lengths > _LENGTHS:
            reader.refuse(f"the sum of n over all test cases is over {_LENGTHS}")
    reader.end()
