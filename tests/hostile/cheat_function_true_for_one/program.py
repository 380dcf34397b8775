# Returns the answer as a text.
def f(x):
    return str(2 * x)
