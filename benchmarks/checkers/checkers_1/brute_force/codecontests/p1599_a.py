"""1599_A by trying every order of the weights, and more, on every side."""

from itertools import product

_CASES = (((1,), "L"), ((4,), "R"), ((1, 2), "LR"), ((3, 2), "RR"), ((1, 2, 3), "LRR"), ((2, 4, 6), "RLR"))


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(weights, heavier) for weights, heavier in _CASES]


def _case(weights: tuple[int, ...], heavier: str) -> tuple[str, str, dict[str, bool]]:
    outputs = {}
    for count in range(len(weights) + 2 if len(weights) < 3 else len(weights) + 1):
        for chosen in product((*weights, max(weights) + 1), repeat=count):
            for sides in product("LR", repeat=count):
                shown = "".join(f"{weight} {side}\n" for weight, side in zip(chosen, sides, strict=True))
                outputs[shown] = sorted(chosen) == sorted(weights) and _keeps(chosen, sides, heavier)
    expected = next(shown for shown, is_right in outputs.items() if is_right)
    outputs["-1\n"] = False
    text = f"{len(weights)}\n{' '.join(map(str, weights))}\n{heavier}\n"
    return text, expected, outputs


def _keeps(chosen: tuple[int, ...], sides: tuple[str, ...], heavier: str) -> bool:
    for moves in range(1, len(chosen) + 1):
        left = sum(weight for weight, side in zip(chosen[:moves], sides[:moves], strict=True) if side == "L")
        right = sum(chosen[:moves]) - left
        if left == right or ("L" if left > right else "R") != heavier[moves - 1]:
            return False
    return True
