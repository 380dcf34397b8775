# Returns an object of a class with a very long name.
def f(x):
    return type("x" * 5_000_000, (), {})()
