# Returns a generator of ever larger items.
def f(x):
    return (bytes(1 << 20) * 8 for _ in range(10_000))
