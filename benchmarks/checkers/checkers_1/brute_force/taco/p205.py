"""205 by sorting the parts of every way to split a short sequence."""

from itertools import permutations, product

Case = tuple[str, str, dict[str, bool]]
Parts = list[list[int]]


def cases() -> list[Case]:
    sequences = [*permutations((-5, 0, 7)), *list(permutations((-5, 0, 7, 9)))[::2], (4, 3), (4,)]
    return [_case(sequence) for sequence in sequences]


def _case(sequence: tuple[int, ...]) -> Case:
    n = len(sequence)
    splits = {tuple(tuple(part) for part in _parts(labels)) for labels in product(range(n), repeat=n)}
    good = {split for split in splits if _sorts(sequence, split)}
    most = max(map(len, good))
    outputs: dict[str, bool] = {}
    for split in sorted(splits):
        right = split in good and len(split) == most
        outputs[_shown(len(split), [list(part) for part in split])] = right
        outputs[_shown(len(split), [list(part[::-1]) for part in split[::-1]])] = right
        outputs[_shown(len(split) + 1, [list(part) for part in split])] = False
    outputs[_shown(n, [[0]] * n)] = n == 1
    best = next(split for split in sorted(good) if len(split) == most)
    expected = _shown(most, [list(part) for part in best])
    return f"{n}\n{' '.join(map(str, sequence))}\n", expected, outputs


def _parts(labels: tuple[int, ...]) -> Parts:
    parts = [[place for place, label in enumerate(labels) if label == which] for which in range(len(labels))]
    return sorted(part for part in parts if part)


def _sorts(sequence: tuple[int, ...], split: tuple[tuple[int, ...], ...]) -> bool:
    result = list(sequence)
    for part in split:
        for place, value in zip(part, sorted(sequence[place] for place in part), strict=True):
            result[place] = value
    return result == sorted(sequence)


def _shown(count: int, parts: Parts) -> str:
    lines = [f"{len(part)} {' '.join(str(place + 1) for place in part)}" for part in parts]
    return "\n".join([str(count), *lines])
