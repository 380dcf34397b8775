# Raises with half a million lone surrogates.
def f(x):
    raise ValueError("\ud800" * 500_000)
