"""1620_F by trying all signs of some permutations and all colorings of the graph with two colors."""

from itertools import combinations, islice, permutations, product

_STEPS = {1: 1, 2: 1, 3: 1, 4: 1, 5: 10, 6: 60}


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [
        _case(list(permutation))
        for n, step in _STEPS.items()
        for permutation in islice(permutations(range(1, n + 1)), step // 2, None, step)
    ] + [_case([1, 3, 2, 6, 5, 4])]


def _case(permutation: list[int]) -> tuple[str, str, dict[str, bool]]:
    outputs = {}
    for signs in product((1, -1), repeat=len(permutation)):
        array = [sign * number for sign, number in zip(signs, permutation, strict=True)]
        outputs[f"YES\n{' '.join(map(str, array))}\n"] = _is_bipartite(array)
    outputs["NO"] = not any(outputs.values())
    outputs["YES\n" + " ".join(map(str, sorted(permutation)[1:])) + " 0"] = False
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"1\n{len(permutation)}\n{' '.join(map(str, permutation))}\n", expected, outputs


def _is_bipartite(array: list[int]) -> bool:
    edges = [(i, j) for i, j in combinations(range(len(array)), 2) if array[i] > array[j]]
    return any(all(sides[i] != sides[j] for i, j in edges) for sides in product((0, 1), repeat=len(array)))
