"""513 by trying all colourings of the pairs of three and four nodes, and walking every path of k edges."""

from itertools import combinations, pairwise, product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    return [_case(3, 2, 1), _case(4, 2, 1), _case(4, 3, 2)]


def _case(n: int, k: int, step: int) -> Case:
    pairs = list(combinations(range(n), 2))
    paths = list(combinations(range(n), k + 1))
    good: dict[tuple[int, tuple[int, ...]], bool] = {}
    for count in range(1, 4):
        for colours in product(range(1, count + 1), repeat=len(pairs)):
            of_pair = dict(zip(pairs, colours, strict=True))
            rainbow = all(len({of_pair[edge] for edge in pairwise(path)}) > 1 for path in paths)
            good[count, colours] = rainbow and len(set(colours)) == count
    fewest = min(count for (count, _), right in good.items() if right)
    outputs = {_shown(count, colours): right and count == fewest for (count, colours), right in good.items()}
    expected = next(output for output, right in outputs.items() if right)
    right_ones = {output: True for output, right in outputs.items() if right}
    return f"{n} {k}\n", expected, {**dict(list(outputs.items())[::step]), **right_ones}


def _shown(count: int, colours: tuple[int, ...]) -> str:
    return f"{count}\n{' '.join(map(str, colours))}"
