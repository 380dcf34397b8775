# Sends a long integer for a float.
import json

TEXT = '{"i": "0x%s"}' % ("f" * 50_000)
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
