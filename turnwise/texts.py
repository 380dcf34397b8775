"""Showing a value from outside in a message: one printable line, bounded, whatever the value is."""


def shown(value: object, *, limit: int = 40) -> str:
    """Return the start of ``value`` as Python writes it, on one printable line; never raises."""
    if isinstance(value, str):
        return repr(value if len(value) <= limit else value[:limit] + "...")
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # an integer of more digits than the interpreter prints, or a very deep nest
        return f"a huge {type(value).__name__}"
    return printable(text, limit=limit)


def printable(text: str, *, limit: int) -> str:
    """Return ``text`` with what cannot be printed escaped, cut to about ``limit`` characters."""
    cut = text if len(text) <= limit else text[:limit] + "..."
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in cut)


def encodable(text: str) -> str:
    """Return ``text`` with what UTF-8 cannot hold escaped: the bytes of file names that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
