# Sorts in place and clears.
def f(values):
    values.sort()
    result = list(values)
    values.clear()
    return result
