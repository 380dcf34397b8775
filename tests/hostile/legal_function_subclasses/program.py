# Returns instances of subclasses.
from collections import Counter, OrderedDict, defaultdict, namedtuple
from enum import IntEnum

Pair = namedtuple("Pair", "a b")


class Level(IntEnum):
    LOW = 1


def f(what):
    table = defaultdict(list)
    table[1].append(2)
    return {
        "counter": Counter("aab"),
        "ordered": OrderedDict(x=1),
        "default": table,
        "pair": Pair(1, 2),
        "enum": Level.LOW,
    }[what]
