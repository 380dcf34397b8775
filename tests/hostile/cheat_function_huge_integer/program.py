# Returns a long number for a short one.
def f(x):
    return 1 << 3_000_000
