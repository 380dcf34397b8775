"""1601_B by jumping through every sequence of depths of three numbers or fewer."""

from itertools import product

_DEPTHS = range(4)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    wells = list(product(range(2), range(3), range(4), range(3), range(2), range(1)))
    return [_case(well[:3], well[3:]) for well in wells[::8]] + [_case((1, 2), (0, 0)), _case((0,), (0,))]


def _case(highest: tuple[int, ...], slips: tuple[int, ...]) -> tuple[str, str, dict[str, bool]]:
    n = len(highest)
    sequences = [jumps for length in range(4) for jumps in product(_DEPTHS, repeat=length)]
    climbing = [jumps for jumps in sequences if _climbs(jumps, highest, slips)]
    fewest = min((len(jumps) for jumps in climbing), default=-1)
    outputs = {"-1": not climbing, "-1 0": False, "": False}
    for jumps in sequences:
        right = jumps in climbing and len(jumps) == fewest
        outputs[" ".join(map(str, [len(jumps), *jumps]))] = right
        outputs[" ".join(map(str, [len(jumps) + 1, *jumps]))] = False
    expected = next(output for output, right in outputs.items() if right)
    return f"{n}\n{' '.join(map(str, highest))}\n{' '.join(map(str, slips))}\n", expected, outputs


def _climbs(jumps: tuple[int, ...], highest: tuple[int, ...], slips: tuple[int, ...]) -> bool:
    depth = len(highest)
    for reached in jumps:
        if depth == 0 or reached not in [depth - length for length in range(highest[depth - 1] + 1)]:
            return False
        depth = reached if reached == 0 else reached + slips[reached - 1]
    return depth == 0
