# Sends floats that walk a chain of places.
def text_of(items):
    return '{"s": [%s]}' % ",".join("%d.0" % key for key in items)
