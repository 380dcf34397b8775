# Writes single bytes to whatever looks like a channel, and never ends the line.
import os


def f(x):
    for number in range(3, 64):
        try:
            for _ in range(30_000):
                os.write(number, b"x")
        except OSError:
            pass
    return 2
