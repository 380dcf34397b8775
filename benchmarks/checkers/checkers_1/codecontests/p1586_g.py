"""1586_G: the number of time travels before the funny scene; one right answer."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader

_MOST = 2 * 10**5


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, _MOST, "n")
    times: set[int] = set()
    for task in range(1, n + 1):
        done, realized = reader.integer(1, 2 * n, "a"), reader.integer(1, 2 * n, "b")
        if done >= realized:
            reader.refuse(f"a of task {task} is {done}, not below b, which is {realized}")
        times.update((done, realized))
        if len(times) < 2 * task:
            reader.refuse(f"a time of task {task} stands twice")
    tasks = reader.integers(reader.integer(1, n, "t"), 1, n, "s")
    if len(set(tasks)) < len(tasks):
        reader.refuse("a task stands twice in s")
    reader.end()
