"""1622_E by trying every array as points of up to three questions."""

from itertools import permutations, product

_INPUTS = [
    ((0,), ["1"]),
    ((1, 3), ["10", "11"]),
    ((2,), ["01"]),
    *((hopes, ["110", "001"]) for hopes in product((0, 2, 3, 6), repeat=2)),
    *((hopes, ["100", "011", "010"]) for hopes in product((1, 4), repeat=3)),
    ((5, 1, 2, 2), ["110", "100", "101", "100"]),
]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(hopes, answers) for hopes, answers in _INPUTS]


def _case(hopes: tuple[int, ...], answers: list[str]) -> tuple[str, str, dict[str, bool]]:
    m = len(answers[0])
    permuted = list(permutations(range(1, m + 1)))
    most = max(_surprise(points, hopes, answers) for points in permuted)
    outputs = {
        " ".join(map(str, points)): points in permuted and _surprise(points, hopes, answers) == most
        for points in product(range(1, m + 1), repeat=m)
    }
    expected = next(output for output, is_right in outputs.items() if is_right)
    lines = ["1", f"{len(hopes)} {m}", " ".join(map(str, hopes)), *answers]
    return "\n".join(lines) + "\n", expected, outputs


def _surprise(points: tuple[int, ...], hopes: tuple[int, ...], answers: list[str]) -> int:
    total = 0
    for student, hope in enumerate(hopes):
        total += abs(hope - sum(points[j] * int(answers[student][j]) for j in range(len(points))))
    return total
