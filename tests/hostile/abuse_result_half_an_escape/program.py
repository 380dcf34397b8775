# Sends backslashes.
import json

TEXT = '"%s"' % (r"\\" * 1_000_000)
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
