# Writes results before anybody asked, then answers wrongly.
import os

for number in range(3, 256):
    try:
        os.set_blocking(number, False)
        os.write(number, b'{"value": 2}\n')
    except OSError:
        pass


def f(x):
    return 0
