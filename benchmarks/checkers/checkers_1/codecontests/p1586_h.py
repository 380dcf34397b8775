"""1586_H: per group the greatest enjoyment and the toll to reimburse; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5
_LARGEST = 10**9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n, q = reader.integer(2, _MOST, "n"), reader.integer(1, _MOST, "q")
    reader.integers(n, 1, _LARGEST, "e")
    leaders = list(range(n + 1))
    for _ in range(n - 1):
        one, other = reader.integer(1, n, "a"), reader.integer(1, n, "b")
        first, second = _leader(leaders, one), _leader(leaders, other)
        if first == second:
            reader.refuse(f"the road between {one} and {other} closes a cycle: some city cannot be reached")
        leaders[first] = second
        reader.integer(1, _LARGEST, "c")
        reader.integer(1, _LARGEST, "t")
    for _ in range(q):
        reader.integer(1, _LARGEST, "v")
        reader.integer(1, n, "x")
    reader.end()


def _leader(leaders: list[int], city: int) -> int:
    while leaders[city] != city:
        leaders[city] = leaders[leaders[city]]
        city = leaders[city]
    return city
