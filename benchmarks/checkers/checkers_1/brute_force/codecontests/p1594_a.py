"""1594_A by trying every pair of bounds near zero."""


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [(f"1\n{n}\n", f"{1 - n} {n}\n", _outputs(n)) for n in range(1, 9)]


def _outputs(n: int) -> dict[str, bool]:
    bounds = range(-9, 10)
    return {f"{low} {high}": low < high and sum(range(low, high + 1)) == n for low in bounds for high in bounds}
