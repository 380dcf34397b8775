"""1591_E by writing down every order of the numbers on the path."""

from itertools import permutations, product

_Query = tuple[int, int, int]
_TREES: tuple[tuple[list[int], tuple[int, ...]], ...] = (
    ([], (1,)),
    ([1], (2, 1)),
    ([1, 1], (3, 3, 1)),
    ([3, 1], (1, 2, 3)),
    ([1, 2, 3], (1, 2, 1, 2)),
    ([1, 2, 3], (2, 2, 4, 1)),
    ([1, 2, 2], (3, 1, 1, 3)),
    ([3, 1, 2], (4, 1, 2, 4)),
    ([3, 4, 1, 2], (5, 1, 5, 2, 1)),
)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    cases = []
    for parents, values in _TREES:
        numbers = range(1, len(values) + 1)
        queries = list(product(numbers, numbers[:2], numbers))
        cases += [_case(parents, values, [query]) for query in queries]
        cases.append(_case(parents, values, [queries[-1], queries[len(queries) // 3]]))
    return cases


def _case(parents: list[int], values: tuple[int, ...], queries: list[_Query]) -> tuple[str, str, dict[str, bool]]:
    n = len(values)
    lines = ["1", f"{n} {len(queries)}", " ".join(map(str, values)), " ".join(map(str, parents))]
    lines += [f"{v} {least} {k}" for v, least, k in queries]
    allowed = [_allowed(parents, values, query) for query in queries]
    outputs = {
        " ".join(map(str, answers)): all(answer in among for answer, among in zip(answers, allowed, strict=True))
        for answers in product(range(-1, n + 2), repeat=len(queries))
    }
    return "\n".join(lines) + "\n", " ".join(str(max(among)) for among in allowed), outputs


def _allowed(parents: list[int], values: tuple[int, ...], query: _Query) -> set[int]:
    vertex, least, k = query
    path = [values[vertex - 1]]
    while vertex != 1:
        vertex = parents[vertex - 2]
        path.append(values[vertex - 1])
    kept = {value for value in path if path.count(value) >= least}
    orders = [order for order in permutations(kept) if [path.count(v) for v in order] == sorted(map(path.count, kept))]
    return {order[k - 1] if k <= len(order) else -1 for order in orders}
