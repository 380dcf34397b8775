# Sends many digits.
import json

TEXT = "9" * 60_000
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
