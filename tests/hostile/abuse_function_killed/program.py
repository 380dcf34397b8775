# Kills itself.
import os


def f(x):
    os.kill(os.getpid(), 15)
