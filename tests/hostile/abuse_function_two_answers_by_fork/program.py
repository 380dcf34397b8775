# Answers from two processes.
import os


def f(x):
    os.fork()
    return 0
