# Uses match, walrus, positional-only arguments and exception groups' older relatives.
def kind(value, /, *, other=None):
    match value:
        case [first, *rest]:
            return f"list {first} {len(rest)}"
        case {"a": a}:
            return f"dict {a}"
        case int() if (double := value * 2) > 5:
            return f"int {double=}"
    return other


print(kind([1, 2]), kind({"a": 1}), kind(3), kind(None))
