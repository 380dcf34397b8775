# Sends frozensets in frozensets.
import json

TEXT = '{"s": [' + '{"z": [' * 100_000
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
