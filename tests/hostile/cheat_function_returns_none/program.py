# Forgets to return.
def f(x):
    2 * x
