# Sleeps.
import time


def f(x):
    time.sleep(3600)
