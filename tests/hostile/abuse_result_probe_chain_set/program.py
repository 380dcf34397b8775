# Sends a set whose every item walks a chain of places.
def text_of(items):
    return '{"s": [%s]}' % ",".join(map(str, items))
