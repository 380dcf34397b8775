"""179 by trying all marks, and some that are too low or too high."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]


def cases() -> list[Case]:
    found: list[Case] = []
    for highest, most, known in product((2, 3), (3, 4, 5, 6), ((), (1,), (2,), (1, 1), (1, 2), (2, 2))):
        found += [_case(3, highest, most, median, known) for median in range(1, highest + 1)]
    found += [_case(1, 2, most, median, ()) for most in (1, 2) for median in (1, 2)]
    return found + [_case(5, 2, most, 2, (1, 2, 1)) for most in (7, 8)]


def _case(n: int, highest: int, most: int, median: int, known: tuple[int, ...]) -> Case:
    outputs: dict[str, bool] = {}
    for marks in product(range(1, highest + 1), repeat=n - len(known)):
        together = sorted(known + marks)
        below = [mark for mark in together if mark < median]
        outputs[" ".join(map(str, marks))] = sum(together) <= most and len(below) <= (n - 1) / 2
    expected = next((output for output, right in outputs.items() if right), "-1")
    outputs["-1"] = expected == "-1"
    for wrong in (0, highest + 1):
        outputs[" ".join([str(wrong)] + ["1"] * (n - len(known) - 1))] = False
        outputs[" ".join(["1"] * (n - len(known) - 1) + [str(wrong)])] = False
    shown = " ".join(map(str, known))
    return f"{n} {len(known)} {highest} {most} {median}\n{shown}\n", expected, outputs
