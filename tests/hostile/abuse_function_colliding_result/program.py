# Returns a set whose values share one hash, which takes whoever builds it again hours.
class Number(int):
    def __hash__(self):
        return int(self) % 1_000_003


def f(x):
    return {Number(number * (2**61 - 1)) for number in range(1, 100_000)}
