"""1594_C by doing the operations of every short list, position by position."""

from itertools import product

_STRINGS = ("aaa", "baa", "aab", "bbb", "aaba", "abab", "bbbb", "aaab", "babaa", "abbba", "aaaab", "bbabab", "abaaba")


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(word) for word in _STRINGS] + [_pair("aab", "abab"), _pair("aaa", "abb")]


def _case(word: str) -> tuple[str, str, dict[str, bool]]:
    right = _right_lists(word)
    outputs = {_shown(chosen): chosen in right for chosen in _lists(len(word) + 1, 2 + (len(word) < 5))}
    outputs |= {_shown(chosen)[2:]: False for chosen in right if chosen and len(chosen) > chosen[0]}
    return f"1\n{len(word)} a\n{word}\n", _shown(right[0]), outputs


def _pair(one: str, other: str) -> tuple[str, str, dict[str, bool]]:
    right = _right_lists(one), _right_lists(other)
    outputs = {
        f"{_shown(first)} {_shown(second)}": first in right[0] and second in right[1]
        for first in _lists(len(one), 2)
        for second in _lists(len(other), 2)
    }
    text = f"2\n{len(one)} a\n{one}\n{len(other)} a\n{other}\n"
    return text, f"{_shown(right[0][0])}\n{_shown(right[1][0])}\n", outputs


def _lists(largest: int, longest: int) -> list[tuple[int, ...]]:
    return [chosen for length in range(longest + 1) for chosen in product(range(1, largest + 1), repeat=length)]


def _right_lists(word: str) -> list[tuple[int, ...]]:
    clean = [chosen for chosen in _lists(len(word), 3) if _after(word, chosen) == "a" * len(word)]
    fewest = min(map(len, clean))
    return [chosen for chosen in clean if len(chosen) == fewest]


def _after(word: str, chosen: tuple[int, ...]) -> str:
    for x in chosen:
        word = "".join("a" if position % x else letter for position, letter in enumerate(word, 1))
    return word


def _shown(chosen: tuple[int, ...]) -> str:
    return " ".join(map(str, (len(chosen), *chosen)))
