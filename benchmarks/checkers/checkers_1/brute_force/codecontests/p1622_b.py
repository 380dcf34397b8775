"""1622_B by trying every array as ratings of up to three songs, and every permutation for four."""

from itertools import permutations, product

_Array = tuple[int, ...]


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    made = []
    for n in (1, 2, 3):
        arrays = list(product(range(1, n + 1), repeat=n))
        made += [_case(p, votes, arrays) for p in permutations(range(1, n + 1)) for votes in product("01", repeat=n)]
    fours = list(permutations((1, 2, 3, 4)))
    return made + [_case((2, 3, 1, 4), votes, fours) for votes in product("01", repeat=4)]


def _case(predicted: _Array, votes: tuple[str, ...], arrays: list[_Array]) -> tuple[str, str, dict[str, bool]]:
    kept = [array for array in arrays if _is_kept(array, votes)]
    cost = {array: sum(abs(p - q) for p, q in zip(predicted, array, strict=True)) for array in arrays}
    least = min(cost[array] for array in kept)
    outputs = {" ".join(map(str, array)): array in kept and cost[array] == least for array in arrays}
    expected = next(output for output, is_right in outputs.items() if is_right)
    return f"1\n{len(votes)}\n{' '.join(map(str, predicted))}\n{''.join(votes)}\n", expected, outputs


def _is_kept(rated: _Array, votes: tuple[str, ...]) -> bool:
    songs = range(len(votes))
    if any(rated.count(rating + 1) != 1 for rating in songs):
        return False
    return all(rated[i] > rated[j] for i in songs for j in songs if votes[i] == "1" and votes[j] == "0")
