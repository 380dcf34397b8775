# Dies of a very long message.
def f(x):
    raise ValueError("x" * 50_000_000)
