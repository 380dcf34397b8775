# Returns a long text or a long list.
def f(n, text):
    return "b" * n if text else list(range(n))
