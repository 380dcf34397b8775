# Sends empty dicts.
import json

TEXT = "[" + '{"d":[]},' * 400_000 + '{"d":[]}]'
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
