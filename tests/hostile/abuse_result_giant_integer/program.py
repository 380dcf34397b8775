# Sends a long integer.
import json

TEXT = '{"i": "0x%s"}' % ("f" * 3_000_000)
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
