"""A reply's markdown as a tree of plain values, which the page turns into elements one by one.

>>> markdown_tree("# Hi\\n<b>x</b>")
[['h', 'Hi'], ['p', '<b>x</b>']]

A node is a text or a list ``[tag, child, ...]`` with a tag of ``TAGS``; there is no attribute in it, so nothing that
a model writes can be one. HTML is text, a link is its text followed by its address, an image its description.
"""

from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

LONGEST = 20_000  # characters; a longer reply is shown as it is, since some markdown takes quadratic time
TAGS = {
    "paragraph": "p",
    "heading": "h",
    "bullet_list": "ul",
    "ordered_list": "ol",
    "list_item": "li",
    "blockquote": "blockquote",
    "em": "em",
    "strong": "strong",
    "table": "table",
    "thead": "thead",
    "tbody": "tbody",
    "tr": "tr",
    "th": "th",
    "td": "td",
    "hr": "hr",
    "hardbreak": "br",
    "code_inline": "code",
    "code_block": "pre",
    "fence": "pre",
}
Node = Any  # str | list[Node]


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def markdown_tree(text: str) -> list[Node] | None:
    """Return the blocks of ``text``, None where it is too long to be parsed."""
    if len(text) > LONGEST:
        return None
    return _children(SyntaxTreeNode(_parser().parse(text)))


def _children(node: SyntaxTreeNode) -> list[Node]:
    found: list[Node] = []
    for child in node.children:
        for one in _nodes(child):
            if isinstance(one, str) and found and isinstance(found[-1], str):
                found[-1] += one
            else:
                found.append(one)
    return found


def _nodes(node: SyntaxTreeNode) -> list[Node]:
    if node.type in TAGS:
        return [[TAGS[node.type], *([node.content] if node.content and not node.children else _children(node))]]
    if node.type == "text":
        return [node.content]
    if node.type == "softbreak":
        return ["\n"]
    if node.type == "link":
        inside, target = _children(node), str(node.attrs.get("href", ""))
        return inside if inside == [target] else [*inside, f" ({target})"]
    if node.type == "image":
        return [f"[image: {node.content} ({node.attrs.get('src', '')})]"]
    return _children(node) if node.children else [node.content]
