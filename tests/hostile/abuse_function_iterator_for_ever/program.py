# Returns a list that grows while it is read.
class Endless(dict):
    def __iter__(self):
        while True:
            yield 1

    def items(self):
        while True:
            yield (1, 1)

    keys = values = __iter__


def f(x):
    return Endless()
