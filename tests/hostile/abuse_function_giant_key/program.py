# Returns a dict whose only key is an integer of millions of digits.
def f(x):
    return {(1 << 12_000_000) - 1: 1}
