# Sends a million empty lists.
import json

TEXT = "[" + "[]," * 1_000_000 + "[]]"
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
