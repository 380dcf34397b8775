# Provokes errors and goes on.
def forever(n):
    return forever(n + 1)


caught = []
for act in (lambda: 1 // 0, lambda: forever(0), lambda: [0] * (1 << 60), lambda: input() and input() and input()):
    try:
        act()
    except (ArithmeticError, RecursionError, MemoryError, EOFError) as error:
        caught.append(type(error).__name__)
print(*caught)
