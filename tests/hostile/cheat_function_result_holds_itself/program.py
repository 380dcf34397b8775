# Returns a list inside itself.
def f(x):
    x.append(x)
    return x
