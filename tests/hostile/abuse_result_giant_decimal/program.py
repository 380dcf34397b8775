# Returns a Decimal with a large exponent.
from decimal import Decimal


def f(x):
    return Decimal("1E+999999999999")
