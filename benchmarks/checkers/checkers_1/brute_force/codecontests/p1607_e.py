"""1607_E by walking from every cell."""

_BOARDS = (
    (1, 1, "LURD"),
    (1, 3, "LRRLLL"),
    (2, 2, "LLRR"),
    (2, 3, "DRRULL"),
    (3, 1, "UDDUUU"),
    (3, 3, "RRDLUU"),
    (3, 3, "LDRU"),
    (3, 4, "RDRDLLLUUU"),
    (4, 3, "LUURRDDLLLUU"),
    (4, 4, "D"),
)


def cases() -> list[tuple[str, str, dict[str, bool]]]:
    return [_case(n, m, commands) for n, m, commands in _BOARDS]


def _case(n: int, m: int, commands: str) -> tuple[str, str, dict[str, bool]]:
    cells = [(row, column) for row in range(1, n + 1) for column in range(1, m + 1)]
    executed = {cell: _executed(cells, cell, commands) for cell in cells}
    most = max(executed.values())
    outputs = {f"{r} {c}": executed.get((r, c), -1) == most for r in range(-1, n + 2) for c in range(-1, m + 2)}
    expected = next(output for output, right in outputs.items() if right)
    return f"1\n{n} {m}\n{commands}\n", expected, {**outputs, f"{expected} 1": False, expected.split()[0]: False}


def _executed(cells: list[tuple[int, int]], cell: tuple[int, int], commands: str) -> int:
    for count, command in enumerate(commands):
        row, column = {"L": (0, -1), "R": (0, 1), "U": (-1, 0), "D": (1, 0)}[command]
        cell = (cell[0] + row, cell[1] + column)
        if cell not in cells:
            return count
    return len(commands)
