"""513: colours for all pairs of n nodes, the fewest that leave no path of k edges in one colour."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    _task(reader)
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    n, k = _task(Reader(text, Invalid))
    reader = Reader(output)
    fewest = _fewest(n, k)
    count = reader.integer(1, n, "the number of colours")
    if count != fewest:
        reader.refuse(f"the number of colours is {count}, the fewest are {fewest}")
    longest = [[0] * (count + 1) for _ in range(n + 1)]
    used: set[int] = set()
    for start in range(1, n + 1):
        before = longest[start]
        for end, colour in enumerate(reader.integers(n - start, 1, count, "a colour"), start + 1):
            if longest[end][colour] <= before[colour]:
                longest[end][colour] = before[colour] + 1
            used.add(colour)
    reader.end()
    if len(used) < count:
        reader.refuse(f"{len(used)} colours are used, not {count}")
    if max(map(max, longest)) >= k:
        reader.refuse(f"a path of {k} edges has one colour")


def _task(reader: Reader) -> tuple[int, int]:
    n = reader.integer(3, 1000, "n")
    return n, reader.integer(2, n - 1, "k")


def _fewest(n: int, k: int) -> int:
    """Return the least c with k^c >= n: the longest paths of each colour that end in a node tell all nodes apart."""
    count, told_apart = 0, 1
    while told_apart < n:
        count, told_apart = count + 1, told_apart * k
    return count
