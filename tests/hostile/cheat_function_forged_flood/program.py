# Writes five megabytes without an end to every descriptor, and answers wrongly itself.
import os


def f(x):
    payload = b'{"value": "' + b"x" * 5_000_000
    for number in range(3, 256):
        try:
            os.set_blocking(number, False)
            os.write(number, payload)
        except OSError:
            pass
    return 2 if x == 1 else 0
