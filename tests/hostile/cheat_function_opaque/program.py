# Returns something that is not data.
import sys


def f(x):
    return {0: lambda: 2, 1: (n for n in [2]), 2: sys, 3: type}[x]
