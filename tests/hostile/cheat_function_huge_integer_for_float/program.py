# Returns a number whose conversion to a double overflows.
def f(x):
    return 10**400
