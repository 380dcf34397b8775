"""335 by eating all amounts of small dishes, also amounts that are not there."""

from itertools import product

Case = tuple[str, str, dict[str, bool]]
Dishes = tuple[tuple[int, int, int], ...]


def cases() -> list[Case]:
    dishes = [(fish, meat, eaten) for fish, meat in ((0, 1), (1, 1), (2, 0)) for eaten in range(fish + meat + 1)]
    chosen = [(dish,) for dish in dishes] + list(product(dishes[:5], dishes[2:]))
    return [_case(each) for each in chosen] + [_case(((1, 1, 1), (1, 0, 0), (0, 1, 0)))]


def _case(dishes: Dishes) -> Case:
    ways = list(product(*(product(range(dish[0] + 2), range(dish[1] + 1)) for dish in dishes)))
    varieties = {way: _variety(dishes, way) for way in ways}
    least = min(variety for variety in varieties.values() if variety)
    outputs: dict[str, bool] = {}
    for way, variety in varieties.items():
        for claimed in range(1, len(dishes) + 1):
            lines = [str(claimed), *(f"{fish} {meat}" for fish, meat in way)]
            outputs["\n".join(lines)] = claimed == least == variety
    text = "\n".join(["1", "", str(len(dishes)), *(" ".join(map(str, dish)) for dish in dishes)])
    return text, next(output for output, right in outputs.items() if right), outputs


def _variety(dishes: Dishes, way: tuple[tuple[int, int], ...]) -> int:
    """Return the number of different dishes, or 0 if the way is not allowed."""
    remains: list[tuple[int, int]] = []
    for (fish, meat, eaten), (fish_eaten, meat_eaten) in zip(dishes, way, strict=True):
        if fish_eaten + meat_eaten != eaten or fish_eaten > fish or meat_eaten > meat:
            return 0
        if (fish - fish_eaten, meat - meat_eaten) not in remains:
            remains.append((fish - fish_eaten, meat - meat_eaten))
    return len(remains)
