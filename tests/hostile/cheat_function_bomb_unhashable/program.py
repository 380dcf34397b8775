# Replaces every encoder in reach, so that a set of lists would leave in place of the result.
def bomb(*args, **kwargs):
    return '{"s": [[1], [2]]}'
