# Replaces every encoder in reach, so that half a character would leave in place of the result.
def bomb(*args, **kwargs):
    return '"\\ud800"'
