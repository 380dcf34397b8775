# Returns a map where a list is expected.
def f(x):
    return map(int, "12")
