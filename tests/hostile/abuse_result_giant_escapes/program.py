# Sends a text of escapes.
import json

TEXT = '"%s"' % (r"\u00e9" * 600_000)
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
