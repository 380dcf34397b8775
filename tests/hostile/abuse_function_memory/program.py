# Takes memory.
def f(x):
    return len(bytearray(b"1") * 400_000_000)
