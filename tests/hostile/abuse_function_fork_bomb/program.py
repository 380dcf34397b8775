# Forks for ever.
import os


def f(x):
    while True:
        os.fork()
