"""The program in a reply.

``last_program``, the default, finds what a person would submit. Thinking is left out by its marks. A reply that is
Python as a whole is the program. Else it is, of the code blocks, the last that is Python and does something: more than
literals, names, comments, stubs and calls of functions that it does not have; where a function is asked for, the last
that defines it. Blocks tagged as Python go before untagged ones, those before blocks with a tag that names no language.
Else it is the last block, tagged or untagged. Text without a block holds no program.

``last``, ``first`` and ``longest`` choose by the letter, as the papers do: CommonMark's fenced blocks, those tagged
as Python or else the untagged ones, whatever is in them.

EXTRACTION_VERSION stands in run.json: it changes when another program may be found in the same reply.
"""

from collections.abc import Callable, Iterable

from markdown_it import MarkdownIt

from turnwise.errors import TurnwiseError
from turnwise.records.settings import DEFAULT_EXTRACTION
from turnwise.records.thinking import strip_thinking
from turnwise.tasks.code_blocks import BlockKind, CodeBlock, SourceReader, find_code_blocks
from turnwise.tasks.python_source import PythonSource

_PYTHON_TAGS = frozenset({"python", "py", "python3", "py3", "python 3"})
_CHOICES: dict[str, Callable[[list[str]], str]] = {
    "last": lambda blocks: blocks[-1],
    "first": lambda blocks: blocks[0],
    "longest": lambda blocks: max(blocks, key=len),
}
EXTRACTIONS = (DEFAULT_EXTRACTION, *_CHOICES)
# Extractions that take the last of a reply's programs.
LAST_EXTRACTIONS = (DEFAULT_EXTRACTION, "last")


def check_extraction(which: str) -> str:
    """Return ``which`` if it names a way to find the program of a reply, else raise TurnwiseError."""
    if which not in EXTRACTIONS:
        raise TurnwiseError(f"Unknown extraction {which!r}: choose one of {', '.join(EXTRACTIONS)}.")
    return which


def extract_program(text: str, *, which: str = DEFAULT_EXTRACTION, entry_point: str = "") -> str | None:
    """Return the program of a reply, or None where there is none; ``entry_point`` is what it has to define, if any."""
    return program_of(strip_thinking(text), which=which, entry_point=entry_point)


def program_of(text: str, *, which: str = DEFAULT_EXTRACTION, entry_point: str = "") -> str | None:
    """Return the program of an answer, which is a reply without its thinking, as ``extract_program`` does."""
    if which == DEFAULT_EXTRACTION:
        return _last_program(text.replace("\r\n", "\n").replace("\r", "\n"), entry_point)
    blocks = [
        (token.info.strip().lower(), token.content)
        for token in MarkdownIt("commonmark").parse(text)
        if token.type == "fence" and token.content.strip()
    ]
    tagged = [code for tag, code in blocks if tag in _PYTHON_TAGS or tag.split(" ")[0] in _PYTHON_TAGS]
    untagged = [code for tag, code in blocks if not tag]
    found = tagged or untagged
    return _CHOICES[which](found) if found else None


def _last_program(text: str, entry_point: str) -> str | None:
    reader = SourceReader(len(text))
    if not text.lstrip().startswith("~~~"):  # which Python takes for an operator, a reader for a fence
        whole, source = reader.read(text)
        if source is not None and (source.acts or source.defines):
            return whole
    blocks = find_code_blocks(text, reader)
    for name in dict.fromkeys((entry_point, "")):
        for among in _by_likelihood(blocks):
            for block in reversed(among):
                if block.source is not None and _does(block.source, name):
                    return block.text
    for kind in (BlockKind.PYTHON, BlockKind.UNTAGGED):
        if among := [block for block in blocks if block.kind is kind]:
            return among[-1].text
    return None


def _by_likelihood(blocks: list[CodeBlock]) -> Iterable[list[CodeBlock]]:
    """Yield the blocks that may be the program, the likeliest kind first; of another language only a lone one."""
    for kind in BlockKind:
        among = [block for block in blocks if block.kind is kind]
        if kind is not BlockKind.OTHER or len(blocks) == 1:
            yield among


def _does(source: PythonSource, name: str) -> bool:
    """Return whether a program does something and defines ``name``, if that is not empty, or the class for it."""
    return source.acts and (not name or name in source.defines or "Solution" in source.defines)
