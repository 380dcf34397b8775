# Sends a long text.
import json

TEXT = '"%s"' % ("x" * 4_000_000)
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
