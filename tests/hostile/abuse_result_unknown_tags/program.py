# Sends many objects of unknown tags.
import json

TEXT = "[%s]" % ",".join('{"%d":1}' % number for number in range(250_000))
json.dumps = lambda *args, **kwargs: TEXT


def f(x):
    return 2
