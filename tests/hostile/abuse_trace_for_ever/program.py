# Loops whenever a function is entered.
import sys


def trace(*args):
    while True:
        pass


sys.settrace(trace)
sys.setprofile(trace)
print(1)
(lambda: 0)()
