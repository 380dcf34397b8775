"""1579_D by every sequence of talks that is at most one longer than half of the sum."""

from itertools import product

_ARRAYS = [(0, 0), (1, 0), (1, 1), (3, 1), (2, 2), (1, 1, 1), (0, 0, 2), (2, 1, 1), (3, 1, 1), (0, 1, 2)]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    made = []
    for array in _ARRAYS:
        outputs = _outputs(array)
        expected = next(output for output, right in outputs.items() if right)
        made.append((f"1\n{len(array)}\n{' '.join(map(str, array))}\n", expected, outputs))
    return made


def _outputs(array: tuple[int, ...]) -> dict[str, bool]:
    people = range(1, len(array) + 1)
    pairs = [(one, other) for one in people for other in people]
    possible: dict[tuple[tuple[int, int], ...], bool] = {}
    for count in range(sum(array) // 2 + 2):
        for talks in product(pairs, repeat=count):
            possible[talks] = _happens(array, talks)
    most = max(len(talks) for talks, happens in possible.items() if happens)
    outputs = {_text(len(talks), talks): happens and len(talks) == most for talks, happens in possible.items()}
    for talks in list(possible)[: 1 + len(pairs)]:
        outputs[_text(len(talks) + 1, talks)] = False
        outputs[_text(len(talks) - 1, talks)] = False
    outputs["1\n1 3" if len(array) == 2 else "1\n4 1"] = False
    return outputs


def _happens(array: tuple[int, ...], talks: tuple[tuple[int, int], ...]) -> bool:
    present = [[person] * limit for person, limit in enumerate(array, 1)]
    for one, other in talks:
        if one == other or not present[one - 1] or not present[other - 1]:
            return False
        present[one - 1].pop()
        present[other - 1].pop()
    return True


def _text(count: int, talks: tuple[tuple[int, int], ...]) -> str:
    return "\n".join([str(count), *(f"{one} {other}" for one, other in talks)])
