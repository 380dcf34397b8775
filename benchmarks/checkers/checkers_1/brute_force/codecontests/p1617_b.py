"""1617_B by trying every triple of numbers up to nine."""

from itertools import product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(n) for n in (10, 12)]


def _case(n: int) -> tuple[str, str, dict[str, bool]]:
    outputs = {f"{a} {b} {c}": _is_right(a, b, c, n) for a, b, c in product(range(10), repeat=3)}
    return f"1\n{n}\n", next(output for output, is_right in outputs.items() if is_right), outputs


def _is_right(a: int, b: int, c: int, n: int) -> bool:
    if min(a, b, c) < 1 or a in (b, c) or b == c or a + b + c != n:
        return False
    return c == max(divisor for divisor in range(1, n + 1) if a % divisor == b % divisor == 0)
