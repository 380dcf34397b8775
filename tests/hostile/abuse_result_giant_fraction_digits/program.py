# Sends a float with many digits.
import json

TEXT = "0." + "3" * 60_000
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
