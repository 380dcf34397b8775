# Returns one value of each type.
def f(what):
    return {
        "none": None,
        "bool": True,
        "int": -(10**30),
        "float": 0.1,
        "text": "é😀\n\0",
        "list": [[], [1]],
        "tuple": (1, (2,)),
        "dict": {1: [None], "a": {}},
        "nested": [{"k": [(1, 2)]}],
    }[what]
