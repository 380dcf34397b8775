"""1598_G by trying every four positions."""

from itertools import product

_STRINGS = ("11", "239", "9191", "11111", "98761", "19928")


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [case for digits in _STRINGS for case in _cases(digits)]


def _cases(digits: str) -> list[tuple[str, str, dict[str, bool]]]:
    sums = {}
    for first, last, next_first, next_last in product(range(len(digits) + 2), repeat=4):
        if 1 <= first <= last and next_first == last + 1 and next_first <= next_last <= len(digits):
            total = int(digits[first - 1 : last]) + int(digits[next_first - 1 : next_last])
            sums[f"{first} {last}\n{next_first} {next_last}\n"] = str(total)
    totals = sorted({total for total in sums.values() if "0" not in total})[:4]
    outputs = [f"{a} {b}\n{c} {d}\n" for a, b, c, d in product(range(len(digits) + 2), repeat=4)]
    return [
        (
            f"{digits}\n{total}\n",
            next(shown for shown, found in sums.items() if found == total),
            {shown: sums.get(shown) == total for shown in outputs[:: 1 if len(digits) < 3 else 29] + list(sums)},
        )
        for total in totals
    ]
