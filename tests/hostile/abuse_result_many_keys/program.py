# Sends one object with many keys.
import json

TEXT = "{%s}" % ",".join('"%d":1' % number for number in range(300_000))
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
