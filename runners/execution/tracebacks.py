"""Error texts of programs, as they may be shown to a model: no frames or paths of the runner or machine.

A traceback names the program ``solution.py`` and library files by their bare name; it keeps its first
line and its last lines within a size.
"""

import re

_FRAME = re.compile(r'^(\s*File ")([^"]+)(", line \d+.*)$')
_HIDDEN = ("/child.py", "<prelude>", "<frozen importlib", "<frozen runpy")
_PLACE = re.compile(r"(?<![\w./])/(?:[\w.+@~-]+/)+(?=[\w.+-]+\.(?:py|pyc|so)\b)")  # of a library's file in a message
_CUT = "  ...\n"


def clean_traceback(text: str, *, limit: int = 4096) -> str:
    """Return ``text`` without runner frames and machine paths, at most ``limit`` characters."""
    lines: list[str] = []
    dropping = False
    for line in text.replace("\0", "\N{SYMBOL FOR NULL}").splitlines():
        frame = _FRAME.match(line)
        if frame:
            dropping = any(mark in frame[2] for mark in _HIDDEN)
            line = f"{frame[1]}{frame[2].rsplit('/', 1)[-1]}{frame[3]}"
        else:
            dropping = dropping and line.startswith("    ")
            line = line if line.startswith("    ") else _PLACE.sub("", line)
        if not dropping:
            lines.append(line)
    return shorten_middle("\n".join(lines).strip("\n"), limit)


def shorten_middle(text: str, limit: int) -> str:
    """Return ``text``, or its first line and as many of its last lines as ``limit`` characters hold."""
    if len(text) <= limit:
        return text
    first = text.split("\n", 1)[0][: limit // 4] + "\n" + _CUT
    tail = text[-(limit - len(first)) :]
    start = tail.find("\n") + 1
    return first + (tail[start:] if start < len(tail) // 2 else tail)
