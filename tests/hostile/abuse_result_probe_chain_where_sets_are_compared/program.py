# Sends a list that is compared as a set.
def text_of(items):
    return '[%s]' % ",".join(map(str, items))
