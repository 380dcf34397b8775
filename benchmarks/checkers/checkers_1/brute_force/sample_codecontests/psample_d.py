"""sample_D by trying all numbers of bulbs of small lawns."""

from itertools import product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(n, m, s) for n, m in ((3, 2), (4, 1), (4, 2)) for s in range(n * m + 1)]


def _case(n: int, m: int, s: int) -> tuple[str, str, dict[str, bool]]:
    outputs = {}
    for beds in product(range(m + 1), repeat=n):
        steps = [abs(beds[place] - beds[(place + 1) % n]) for place in range(n)]
        outputs["YES\n" + " ".join(map(str, beds))] = sum(beds) == s and steps == [1] * n
    outputs["NO"] = not any(outputs.values())
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"1\n{n} {m} {s}\n", expected, outputs
