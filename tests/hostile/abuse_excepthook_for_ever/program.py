# Loops in the hook that shows exceptions.
import sys


def hook(*args):
    while True:
        pass


sys.excepthook = sys.unraisablehook = hook
raise ValueError
