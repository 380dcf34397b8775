"""417 by writing all small integers on trees of one to three vertices."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    trees = [(0,), (0, 1), (2, 0), (0, 1, 1), (0, 1, 2), (2, 3, 0), (2, 0, 2), (3, 1, 0)]
    found: list[Case] = []
    for tree in trees:
        counts = list(product(range(len(tree)), repeat=len(tree)))
        found += [_case(tree, count) for count in counts[:: 1 if len(tree) < 3 else 2]]
    return found


def _case(parents: tuple[int, ...], counts: tuple[int, ...]) -> Case:
    n = len(parents)
    outputs: dict[str, bool] = {}
    for values in product(range(1, n + 1), repeat=n):
        less = [
            sum(values[lower] < values[upper] and _below(parents, lower, upper) for lower in range(n))
            for upper in range(n)
        ]
        outputs["YES\n" + " ".join(map(str, values))] = less == list(counts)
    expected = next((output for output, right in outputs.items() if right), "NO")
    outputs["NO"] = expected == "NO"
    lines = "".join(f"{parent} {count}\n" for parent, count in zip(parents, counts, strict=True))
    return f"{n}\n{lines}", expected, outputs


def _below(parents: tuple[int, ...], lower: int, upper: int) -> bool:
    return lower == upper or (parents[lower] > 0 and _below(parents, parents[lower] - 1, upper))
