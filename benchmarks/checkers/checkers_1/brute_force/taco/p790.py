"""790 by trying all sequences of two and three parents."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    found = [_case(given) for n in (2, 3) for given in product(range(1, n + 1), repeat=n)]
    return [*found[:4], *found[4::2]]


def _case(given: tuple[int, ...]) -> Case:
    n = len(given)
    sequences = list(product(range(1, n + 1), repeat=n))
    changes = {each: sum(each[place] != given[place] for place in range(n)) for each in sequences if _valid(each)}
    least = min(changes.values())
    outputs: dict[str, bool] = {}
    for each in sequences:
        for claimed in range(n + 1):
            right = each in changes and claimed == changes[each] == least
            outputs[f"{claimed}\n{' '.join(map(str, each))}"] = right
    expected = next(output for output, right in outputs.items() if right)
    return f"{n}\n{' '.join(map(str, given))}\n", expected, outputs


def _valid(parents: tuple[int, ...]) -> bool:
    roots = [vertex for vertex, parent in enumerate(parents, 1) if vertex == parent]
    reached = set(roots)
    for _ in parents:
        reached |= {vertex for vertex, parent in enumerate(parents, 1) if parent in reached}
    return len(roots) == 1 and len(reached) == len(parents)
