# Replaces every encoder in reach, so that lists without end would leave in place of the result.
def bomb(*args, **kwargs):
    return "[" * 100_000
