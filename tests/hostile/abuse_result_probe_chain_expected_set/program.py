# Sends a set where a set is expected.
def text_of(items):
    return '{"s": [%s]}' % ",".join(map(str, items))
