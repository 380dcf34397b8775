# Writes bytes that are no frames to every descriptor, and answers wrongly itself.
import os


def f(x):
    payload = bytes(range(256)) * 16 + b"\xff" * 64 + b"\n\0\n\n"
    for number in range(3, 256):
        try:
            os.set_blocking(number, False)
            os.write(number, payload)
        except OSError:
            pass
    return 2 if x == 1 else 0
