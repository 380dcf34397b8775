# Returns a Fraction that is almost right.
from fractions import Fraction


def f(x):
    return Fraction(2 * 10**30 + 1, 10**30)
