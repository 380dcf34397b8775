# Raises an exception with a million lines.
def f(x):
    raise ValueError("\n" * 1_000_000)
