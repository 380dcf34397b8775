# Replaces every encoder in reach, so that a bare NaN would leave in place of the result.
def bomb(*args, **kwargs):
    return "NaN"
