"""869 by doing right operations in any order, and with any one of them changed."""

from itertools import permutations, product

Case = tuple[str, str, dict[str, bool]]
Operations = list[tuple[int, str, int]]

_THREE: Operations = [(3, "+", 3), (3, "^", 6), (3, "+", 5), (3, "+", 6), (8, "^", 9)]


def cases() -> list[Case]:
    outputs = {_shown(list(order)): _writes(3, list(order)) for order in permutations(_THREE)}
    for place, operation in product(range(5), product((1, 3, 5, 6, 8), "+^", (0, 3, 6, 9))):
        changed = [*_THREE[:place], operation, *_THREE[place + 1 :]]
        outputs[_shown(changed)] = _writes(3, changed)
    for count in range(5):
        outputs[_shown(_THREE[:count])] = False
        outputs[_shown(_THREE).replace("5", str(count), 1)] = False
    return [("3\n", _shown(_THREE), outputs), _doubled()]


def _doubled() -> Case:
    outputs: dict[str, bool] = {}
    for times in range(58, 66):
        operations = [*_THREE, *((3 << time, "+", 3 << time) for time in range(times))]
        outputs[_shown(operations)] = 3 << times <= 5_000_000_000_000_000_000
    return "3\n", _shown(_THREE), outputs


def _writes(start: int, operations: Operations) -> bool:
    board = [start]
    for one, symbol, other in operations:
        if board.count(one) * board.count(other) == 0:
            return False
        board.append({"+": one + other, "^": one ^ other}[symbol])
    return 1 in board


def _shown(operations: Operations) -> str:
    return "\n".join([str(len(operations)), *(f"{one} {symbol} {other}" for one, symbol, other in operations)])
