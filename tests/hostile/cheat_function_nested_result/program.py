# Returns lists in lists.
def f(x):
    result = []
    for _ in range(100_000):
        result = [result]
    return result
