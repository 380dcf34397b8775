"""875: the managers of employees, without a cycle."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    n = reader.integer(1, 2000, "n")
    managers = [0]
    for employee in range(1, n + 1):
        managers.append(reader.integer(-1, n, "p"))
        if managers[employee] == 0:
            reader.refuse("p is 0, which is neither -1 nor an employee")
        if managers[employee] == employee:
            reader.refuse(f"employee {employee} manages himself")
    reader.end()
    for employee in range(1, n + 1):
        superior = managers[employee]
        for _ in range(n):
            superior = managers[superior] if superior > 0 else superior
        if superior > 0:
            reader.refuse(f"employee {employee} is below a managerial cycle")
