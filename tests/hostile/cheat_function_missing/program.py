# Defines another function.
def g(x):
    return 2 * x
