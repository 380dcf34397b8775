"""1580_C: the number of trains in maintenance on each day."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2 * 10**5, "n")
    m = reader.integer(1, 2 * 10**5, "m")
    reader.integers(2 * n, 1, 10**9, "a number of days")
    present: set[int] = set()
    for day in range(1, m + 1):
        is_added = reader.integer(1, 2, "op") == 1
        model = reader.integer(1, n, "k")
        if is_added and model in present:
            reader.refuse(f"day {day} adds a train of model {model}, which is there")
        if not is_added and model not in present:
            reader.refuse(f"day {day} removes a train of model {model}, which is not there")
        present ^= {model}
    reader.end()
