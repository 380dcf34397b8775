# Returns a value of a few kilobytes whose digest would take years.
def f(x):
    result = [x] * 1000
    for _ in range(20):
        result = [result] * 1000
    return result
