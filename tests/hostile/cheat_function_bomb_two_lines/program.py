# Replaces every encoder in reach, so that two results at once would leave in place of the result.
def bomb(*args, **kwargs):
    return '2\n{"value": 2}'
