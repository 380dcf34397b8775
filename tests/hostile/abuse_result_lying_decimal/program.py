# Returns an object that calls itself a Decimal.
class Decimal:
    __module__ = "decimal"

    def as_integer_ratio(self):
        return self, "0x2"

    def __index__(self):
        return 2


def f(x):
    return Decimal()
