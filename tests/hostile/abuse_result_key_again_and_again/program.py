# Sends a key again and again.
import json

TEXT = '{"d": [' + '["a", 1],' * 300_000 + '["b", 2]]}'
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
