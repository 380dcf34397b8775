# Prints lines that look like results, to both streams.
import os
import sys


def f(x):
    print('{"value": 1}')
    print("noise", file=sys.stderr, flush=True)
    os.write(1, b'{"value": 2}\n')
    os.write(2, b"\0\n")
    return x
