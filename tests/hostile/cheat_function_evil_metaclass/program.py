# Returns an object whose class answers every question with an endless or lying answer.
class Meta(type):
    def __getattribute__(cls, name):
        raise BaseException(name)

    def __instancecheck__(cls, one):
        return True

    def __subclasscheck__(cls, one):
        return True

    def __hash__(cls):
        return 0

    def __eq__(cls, other):
        return True


class Odd(metaclass=Meta):
    pass


def f(x):
    return Odd()
