"""The program in a reply: what stands in its last fenced Python block.

Thinking up to ``</think>`` is removed first. Blocks tagged as Python count; where there is none, blocks
without a tag do. A block that is never closed runs to the end of the reply. Text without a block holds
no program.
"""

from markdown_it import MarkdownIt

_PYTHON_TAGS = frozenset({"python", "py", "python3", "py3", "python 3"})
_END_OF_THINKING = "</think>"


def strip_thinking(text: str) -> str:
    """Return ``text`` after the last ``</think>``."""
    return text.rpartition(_END_OF_THINKING)[2]


def extract_program(text: str) -> str | None:
    """Return the program of a reply, or None where there is no code block with anything in it."""
    blocks = [
        (token.info.strip().lower(), token.content)
        for token in MarkdownIt("commonmark").parse(strip_thinking(text))
        if token.type == "fence" and token.content.strip()
    ]
    tagged = [code for tag, code in blocks if tag in _PYTHON_TAGS or tag.split(" ")[0] in _PYTHON_TAGS]
    untagged = [code for tag, code in blocks if not tag]
    found = tagged or untagged
    return found[-1] if found else None
