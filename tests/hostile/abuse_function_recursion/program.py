# Recurses for ever.
def f(x):
    return f(x)
