# Raises, and sends an object where the text of the error belongs.
import json

TEXT = '{"error": "a", "b": [' + "[]," * 1_000_000 + '"]"}'
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    raise ValueError
