# Returns ten megabytes.
def f(x):
    return "x" * 10_000_000
