# Closes everything but its own standard streams, then answers.
import os


def f(x):
    os.closerange(3, 4096)
    return 0
