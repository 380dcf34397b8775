# Replaces every encoder in reach, so that a tag that nobody knows would leave in place of the result.
def bomb(*args, **kwargs):
    return '{"pickle": "gASVAA=="}'
