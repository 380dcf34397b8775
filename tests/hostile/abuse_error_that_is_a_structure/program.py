# Raises, and sends lists instead of a text.
import json

TEXT = '{"error": [' + "[]," * 1_000_000 + "[]]}"
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    raise ValueError
