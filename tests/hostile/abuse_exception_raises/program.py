# Dies of an exception that cannot be shown.
class Odd(BaseException):
    def __str__(self):
        raise self

    __repr__ = __str__


print(1)
raise Odd
