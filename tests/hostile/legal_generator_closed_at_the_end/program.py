# Prints in a block that is left at the very end.
from contextlib import contextmanager


@contextmanager
def section():
    try:
        yield
    finally:
        print("ok")


def numbers():
    with section():
        yield 1


kept = numbers()
next(kept)
