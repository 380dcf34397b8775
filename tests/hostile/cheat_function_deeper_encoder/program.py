# Raises every limit on depth, then returns a deep value.
import sys


def f(x):
    sys.setrecursionlimit(10**6)
    for module in list(sys.modules.values()):
        if hasattr(module, "MAXIMUM_DEPTH"):
            module.MAXIMUM_DEPTH = 10**9
    frame = sys._getframe()
    while frame is not None:
        if "MAXIMUM_DEPTH" in frame.f_globals:
            frame.f_globals["MAXIMUM_DEPTH"] = 10**9
        frame = frame.f_back
    result = 0
    for _ in range(5000):
        result = [result]
    return result
