# Recurses through a cached inner function.
import sys
from functools import cache

sys.setrecursionlimit(10**6)


def f(n):
    @cache
    def depth(k):
        return 0 if k == 0 else 1 + depth(k - 1)

    return depth(n)
