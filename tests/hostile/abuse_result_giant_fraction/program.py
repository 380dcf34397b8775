# Returns a Fraction of long integers.
from fractions import Fraction


def f(x):
    return Fraction(3**200_000, 7**200_000)
