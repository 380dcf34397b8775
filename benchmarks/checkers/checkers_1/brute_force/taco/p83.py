"""83 by switching the roads of every short list of cities."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]
Roads = list[tuple[int, int]]


def cases() -> list[Case]:
    found = [_case(3, [(1, 2), (2, 3), (3, 1)], asphalted) for asphalted in product((0, 1), repeat=3)]
    found += [_case(3, [(1, 2), (2, 3)], asphalted) for asphalted in product((0, 1), repeat=2)]
    return [*found, _case(2, [(2, 1)], (0,)), _case(2, [(1, 2)], (1,)), _case(4, [(1, 2), (4, 3)], (0, 0))]


def _case(n: int, roads: Roads, asphalted: tuple[int, ...]) -> Case:
    outputs: dict[str, bool] = {}
    for days in range(n + 2):
        for cities in product(range(1, n + 1), repeat=min(days, 3)):
            cities = (*cities, *([1] * (days - len(cities))))
            outputs[f"{days}\n{' '.join(map(str, cities))}"] = days <= n and _done(roads, asphalted, cities)
    expected = next((output for output, right in outputs.items() if right), "Impossible")
    outputs["Impossible"] = expected == "Impossible"
    lines = [f"{one} {other} {state}" for (one, other), state in zip(roads, asphalted, strict=True)]
    return "\n".join([f"{n} {len(roads)}", *lines]), expected, outputs


def _done(roads: Roads, asphalted: tuple[int, ...], cities: tuple[int, ...]) -> bool:
    states = list(asphalted)
    for city in cities:
        states = [1 - state if city in road else state for road, state in zip(roads, states, strict=True)]
    return 0 not in states
