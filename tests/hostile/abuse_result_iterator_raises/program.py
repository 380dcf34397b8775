# Returns a generator that raises.
def f(x):
    return (1 // number for number in (1, 0))
