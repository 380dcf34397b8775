# Keeps 60 MB of each call.
kept = []


def f(x):
    kept.append(bytearray(b"1") * 60_000_000)
    return x
