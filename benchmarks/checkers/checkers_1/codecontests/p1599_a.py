"""1599_A: every weight once, each with a side, so that the side in S is heavier after every move; it always exists."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_LONGEST = 2 * 10**5
_HEAVIEST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _LONGEST, "N")
    if len(set(reader.integers(n, 1, _HEAVIEST, "A"))) < n:
        reader.refuse("two weights have the same mass")
    reader.string("LR", n, n, "S")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    given, reader = Reader(text, Invalid), Reader(output)
    n = given.integer(1, _LONGEST, "N")
    left = set(given.integers(n, 1, _HEAVIEST, "A"))
    balance = 0
    for move, heavier in enumerate(given.word("S"), 1):
        weight = reader.integer(1, _HEAVIEST, f"weight {move}")
        side = reader.word(f"side {move}", "LR", any_case=True)
        if weight not in left:
            reader.refuse(f"weight {move} is {weight}, which is not there or used before")
        left.remove(weight)
        balance += weight if side == "l" else -weight
        if balance == 0 or (balance > 0) != (heavier == "L"):
            reader.refuse(f"side {heavier} is not heavier after move {move}")
    reader.end()
