# Replaces every encoder in reach, so that a number of a million digits would leave in place of the result.
def bomb(*args, **kwargs):
    return "9" * 1_000_000
