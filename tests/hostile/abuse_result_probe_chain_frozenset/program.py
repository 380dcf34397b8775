# Sends a frozenset whose every item walks a chain of places.
def text_of(items):
    return '[{"z": [%s]}]' % ",".join(map(str, items))
