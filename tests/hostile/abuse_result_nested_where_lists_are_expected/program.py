# Sends a hundred thousand levels.
import json

TEXT = "[" * 100_000
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
