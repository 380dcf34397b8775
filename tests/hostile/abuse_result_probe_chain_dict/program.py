# Sends a dict whose every key walks a chain of places.
def text_of(items):
    return '{"d": [%s]}' % ",".join("[%d, 1]" % key for key in items)
