# Returns what is written as the digest of a result, as a result.
def f(x):
    return {"h": ["0" * 64, "12", ""]}
