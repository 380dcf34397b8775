"""1579_B by every sequence of a few shifts, turned one place at a time."""

from itertools import product

_SHIFTS = {
    2: [(1, 2, 1), (1, 2, 2), (1, 2, 0), (1, 2, -1), (2, 1, 1), (1, 1, 1), (2, 3, 1), (0, 1, 1)],
    3: [(1, 2, 1), (2, 3, 1), (1, 3, 1), (1, 3, 2), (1, 3, 3), (3, 1, 1), (3, 4, 1)],
}


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    arrays = [(2, 1), (1, 1), (-1, 0), (3, 1, 2), (3, 2, 1), (1, 2, 3), (5, 5, -5)]
    made = []
    for array in arrays:
        outputs = _outputs(array)
        expected = next(output for output, right in outputs.items() if right)
        made.append((f"1\n{len(array)}\n{' '.join(map(str, array))}\n", expected, outputs))
    return made


def _outputs(array: tuple[int, ...]) -> dict[str, bool]:
    outputs = {}
    for count in range(len(array) + 1):
        for shifts in product(_SHIFTS[len(array)], repeat=count):
            lines = [str(count), *(" ".join(map(str, shift)) for shift in shifts)]
            outputs["\n".join(lines)] = _sorts(array, shifts)
    longer = [(1, 2, 1)] * (len(array) + 1)
    outputs["\n".join([str(len(longer)), *(" ".join(map(str, shift)) for shift in longer)])] = False
    return outputs


def _sorts(array: tuple[int, ...], shifts: tuple[tuple[int, int, int], ...]) -> bool:
    cells = dict(enumerate(array, 1))
    for left, right, offset in shifts:
        if not (1 <= left < right <= len(array) and 1 <= offset <= right - left):
            return False
        for _ in range(offset):
            first = cells[left]
            for place in range(left, right):
                cells[place] = cells[place + 1]
            cells[right] = first
    return [cells[place] for place in sorted(cells)] == sorted(array)
