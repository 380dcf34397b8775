# Replaces every encoder in reach, so that bytes instead of text would leave in place of the result.
def bomb(*args, **kwargs):
    return b"\xff\0\n"
