# Sends a float that is too large.
import json

TEXT = "1e" + "9" * 300
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
