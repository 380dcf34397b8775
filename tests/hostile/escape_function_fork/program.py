# Forks.
import os


def f(x):
    try:
        if os.fork() == 0:
            os._exit(0)
        return "ESCAPED"
    except OSError:
        return "denied"
