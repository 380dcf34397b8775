# Sends half a million tuples, one in another.
import json

TEXT = '{"t": [' * 500_000
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
