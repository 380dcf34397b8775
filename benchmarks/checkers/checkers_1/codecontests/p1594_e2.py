"""1594_E2: the number of good colorings modulo 1e9 + 7; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_COLORS = ("white", "yellow", "green", "blue", "red", "orange")


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    last = 2 ** reader.integer(1, 60, "k") - 1
    nodes = set()
    for _ in range(reader.integer(1, min(last, 2000), "n")):
        node = reader.integer(1, last, "v")
        reader.word("s", _COLORS)
        if node in nodes:
            reader.refuse(f"node {node} appears twice")
        nodes.add(node)
    reader.end()
