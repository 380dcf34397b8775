"""1606_A by trying every string of the same length, and some of others."""

from itertools import product


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case("".join(s)) for length in range(1, 6) for s in product("ab", repeat=length)]


def _case(s: str) -> tuple[str, str, dict[str, bool]]:
    strings = ["".join(letters) for letters in product("ab", repeat=len(s))]
    balanced = [one for one in strings if _times(one, "ab") == _times(one, "ba")]
    fewest = min(_steps(s, one) for one in balanced)
    outputs = {one: one in balanced and _steps(s, one) == fewest for one in strings}
    expected = next(output for output, right in outputs.items() if right)
    wrong = (s + "a", s[1:], expected.upper(), "c" * len(s))
    return f"1\n{s}\n", expected, {**outputs, **dict.fromkeys(wrong, False)}


def _steps(s: str, other: str) -> int:
    return sum(s[i] != other[i] for i in range(len(s)))


def _times(string: str, part: str) -> int:
    return sum(string[i : i + 2] == part for i in range(len(string) - 1))
