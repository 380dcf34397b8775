"""1575_B: the smallest radius of a circle through the origin with k points inside, to 1e-4."""

from math import acos, atan2, hypot, pi

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_FARTHEST = 10**5
_LARGEST_RADIUS = 2 * 10**5
_SLACK = 1e-9


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 10**5, "n")
    k = reader.integer(1, n, "k")
    points = [
        (reader.integer(-_FARTHEST, _FARTHEST, f"x_{row}"), reader.integer(-_FARTHEST, _FARTHEST, f"y_{row}"))
        for row in range(1, n + 1)
    ]
    reader.end()
    if _most_inside(points) < k:
        reader.refuse(f"no circle of a radius up to {_LARGEST_RADIUS} holds k points: a solution is guaranteed")


def _most_inside(points: list[tuple[int, int]]) -> int:
    """Return how many points one circle of the largest radius through the origin holds, near misses included.

    A point at distance d is inside if the centre's direction is at most acos(d / (2 r)) away from the point's.
    """
    here, turns = 0, []
    for x, y in points:
        if x == y == 0:
            here += 1
            continue
        half = acos(hypot(x, y) / (2 * _LARGEST_RADIUS)) + _SLACK
        low = atan2(y, x) - half
        high = low + 2 * half
        if low < -pi:
            low, high = low + 2 * pi, high + 2 * pi
        if high > pi:
            here += 1
            turns.append((high - 2 * pi, 1))
            turns.append((low, 0))
        else:
            turns.append((low, 0))
            turns.append((high, 1))
    most = here
    for _, leaves in sorted(turns):
        here += -1 if leaves else 1
        most = max(most, here)
    return most
