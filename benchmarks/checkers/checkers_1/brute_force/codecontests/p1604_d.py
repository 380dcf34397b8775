"""1604_D by trying every n from 0 to 30, remainders taken by subtraction."""


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(x, y) for x in range(2, 13, 2) for y in range(2, 13, 2)]


def _case(x: int, y: int) -> tuple[str, str, dict[str, bool]]:
    outputs = {str(n): n > 0 and _remainder(n, x) == _remainder(y, n) for n in range(31)}
    return f"1\n{x} {y}\n", next(output for output, right in outputs.items() if right), outputs


def _remainder(number: int, divisor: int) -> int:
    while number >= divisor:
        number -= divisor
    return number
