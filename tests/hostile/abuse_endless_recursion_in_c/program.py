# Recurses for ever through a method of C.
import sys

sys.setrecursionlimit(1 << 30)


class Deep:
    def __getattr__(self, name):
        return getattr(self, name + "x") if len(name) < 3 else getattr(self, "y")


Deep().x
