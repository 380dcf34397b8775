"""1607_H by trying everything that may be eaten of three dishes or fewer."""

from itertools import product

_DISHES = (
    ((3, 1, 2), (1, 2, 1), (2, 0, 0)),
    ((2, 2, 2), (1, 1, 0), (0, 2, 0)),
    ((3, 0, 1), (0, 3, 1), (2, 1, 1)),
    ((3, 3, 3), (0, 3, 0), (3, 0, 0)),
    ((2, 2, 1), (2, 1, 0), (1, 2, 0)),
    ((4, 1, 2), (1, 4, 2)),
    ((1, 1, 2), (2, 2, 2)),
    ((0, 0, 0), (1, 2, 3)),
    ((2, 3, 3),),
)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(dishes) for dishes in _DISHES]


def _case(dishes: tuple[tuple[int, int, int], ...]) -> tuple[str, str, dict[str, bool]]:
    varieties = {}
    for fish in product(range(-1, 5), repeat=len(dishes)):
        eaten = [(x, m - x) for x, (_, _, m) in zip(fish, dishes, strict=True)]
        left = [(a - x, b - y) for (a, b, _), (x, y) in zip(dishes, eaten, strict=True)]
        fits = all(x >= 0 and y >= 0 for x, y in eaten) and all(a >= 0 and b >= 0 for a, b in left)
        varieties[tuple(eaten)] = len([dish for i, dish in enumerate(left) if dish not in left[:i]]) if fits else 9
    least = min(varieties.values())
    outputs = {str(least): False}
    for eaten_so, variety in varieties.items():
        words = " ".join(f"{x} {y}" for x, y in eaten_so)
        for claimed in range(1, 4) if len(dishes) < 3 else [least]:
            outputs[f"{claimed} {words}"] = claimed == variety == least
    expected = next(output for output, right in outputs.items() if right)
    text = "".join(f"{a} {b} {m}\n" for a, b, m in dishes)
    wrong = {f"{expected} 0": False, f"0{expected[1:]}": False, f"{least + 1}{expected[1:]}": False}
    return f"1\n\n{len(dishes)}\n{text}", expected, {**outputs, **wrong}
