"""The program in a reply: its last fenced Python block, or the first or the longest one.

Thinking up to ``</think>`` is removed first. Blocks tagged as Python count; where there is none, blocks
without a tag do. A block that is never closed runs to the end of the reply. Text without a block holds
no program.
"""

from collections.abc import Callable

from markdown_it import MarkdownIt

from turnwise.errors import TurnwiseError
from turnwise.tasks.trajectory import strip_thinking

_PYTHON_TAGS = frozenset({"python", "py", "python3", "py3", "python 3"})
EXTRACTIONS: dict[str, Callable[[list[str]], str]] = {
    "last": lambda blocks: blocks[-1],
    "first": lambda blocks: blocks[0],
    "longest": lambda blocks: max(blocks, key=len),
}


def check_extraction(which: str) -> str:
    """Return ``which`` if it names a way to choose among blocks, else raise TurnwiseError."""
    if which not in EXTRACTIONS:
        raise TurnwiseError(f"Unknown extraction {which!r}: choose one of {', '.join(EXTRACTIONS)}.")
    return which


def extract_program(text: str, *, which: str = "last") -> str | None:
    """Return the program of a reply, or None where there is no code block with anything in it."""
    blocks = [
        (token.info.strip().lower(), token.content)
        for token in MarkdownIt("commonmark").parse(strip_thinking(text))
        if token.type == "fence" and token.content.strip()
    ]
    tagged = [code for tag, code in blocks if tag in _PYTHON_TAGS or tag.split(" ")[0] in _PYTHON_TAGS]
    untagged = [code for tag, code in blocks if not tag]
    found = tagged or untagged
    return EXTRACTIONS[which](found) if found else None
