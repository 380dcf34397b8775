"""The program in a reply.

``last_program``, the default, finds what a person would submit. Thinking is left out by its marks. A reply that is
Python as a whole is the program. Else it is, of the code blocks, the last that is Python and does something: more than
literals, names, comments, stubs and calls of functions that it does not have; where a function is asked for, the last
that defines it. Blocks tagged as Python go before untagged ones, those before blocks with a tag that names no language.
Else it is the last block, tagged or untagged. Text without a block holds no program.

``last``, ``first`` and ``longest`` choose by the letter, as the papers do: CommonMark's fenced blocks, those tagged
as Python or else the untagged ones, whatever is in them.

EXTRACTION_VERSION stands in run.json: it changes when another program may be found in the same reply.

Where the code blocks of a reply stand is told as a person sees them, whatever Markdown makes of what stands around.
CommonMark says which fence opens a block; models bend it: a fence under an HTML line or behind a sentence, indented
by a tab, closed by a line that goes on, forgotten, or within a docstring of the program. So every run of three marks
is looked at once, in order. A block ends at the first run outside the strings and comments of the Python in it; a
tagged run inside a block begins the next one.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice

from markdown_it import MarkdownIt

from turnwise.errors import TurnwiseError
from turnwise.records.settings import DEFAULT_EXTRACTION
from turnwise.records.thinking import ANSWER_TAGS, strip_thinking
from turnwise.tasks.python_source import PythonSource, read_python
from turnwise.tasks.python_tokens import QuotedText

_PYTHON_TAGS = frozenset({"python", "py", "python3", "py3", "python 3"})
_CHOICES: dict[str, Callable[[list[str]], str]] = {
    "last": lambda blocks: blocks[-1],
    "first": lambda blocks: blocks[0],
    "longest": lambda blocks: max(blocks, key=len),
}
EXTRACTIONS = (DEFAULT_EXTRACTION, *_CHOICES)
# Extractions that take the last of a reply's programs.
LAST_EXTRACTIONS = (DEFAULT_EXTRACTION, "last")
INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff"
_BLANK = rf"\s{INVISIBLE}"
_RUN = re.compile(rf"\\?`(?:[\\{INVISIBLE}]{{0,4}}`){{2,}}|~{{3,}}")
_PREFIX = re.compile(rf"(?:[{_BLANK}>]|(?:[-*+]|\d{{1,3}}[.)])[{_BLANK}])*(?:\*{{1,3}})?")
_LONGEST_INFO = 200
_PYTHON = re.compile(
    r"""\s*[{\[(<"'.:]*\s*(?:(?:language|lang|syntax|code(?:-cell|-?block)?|sourcecode)[-=:\s}]+["'.]?)?"""
    r"(?:python|ipython|cpython|pypy|py)(?:[ _-]?v?\d+(?:\.\w+)*)?"
    r"(?!\w|-(?:repl|console|traceback|session|output))",
    re.IGNORECASE,
)
_PYTHON_FILE = re.compile(r"""(?:^|[\s:="'/\\(\[{])[\w./\\-]{0,100}\w\.pyw?\b""", re.IGNORECASE)
_CODE_ON_LINE = re.compile(
    r"\s*(?:(?:import|from|def|class|for|while|if|try|with|async)\b|@\w|#|[\w.]{1,50}\s*\(|[\w, ]{1,50}\s=\s)"
)
_OTHER_LANGUAGES = frozenset(
    re.findall(
        r"\S+",
        "text txt plaintext plain output out stdout console terminal input stdin bash sh shell zsh cmd bat "
        "powershell ps1 json yaml yml toml ini csv xml html css sql diff patch latex tex math mermaid dockerfile "
        "makefile pycon pytb c c++ cpp cc h hpp java javascript js jsx typescript ts tsx go golang rust rs ruby rb "
        "php perl kotlin scala swift haskell hs lua r julia matlab csharp cs c# d pascal fortran lisp clojure "
        "elixir erlang ocaml nim zig assembly asm ",
    )
)
_MARKDOWN = frozenset({"markdown", "md", "mdx", "commonmark", "gfm"})
_TOKEN = r"<[|\uff5c][^<>\n]{1,40}[|\uff5c]>|\[\|[^\[\]\n]{1,40}\|\]"  # of a chat template
_TEMPLATE_MARK = rf"{_TOKEN}|</?s>|<(?:end_of_turn|eos|eot|bos)>|\[/?(?:INST|PYTHON)\]"
_TAGS = f"{ANSWER_TAGS}|python|pre|tool_call"
_FIRST_MARK = re.compile(rf"\s*(?:{_TEMPLATE_MARK}|<(?:{_TAGS})(?:\s[^<>\n]{{0,200}})?>)(?:[ \t]*\n)?", re.IGNORECASE)
_LAST_MARK = re.compile(rf"(?:{_TEMPLATE_MARK}|</(?:{_TAGS})>|\n`{{1,2}})\Z", re.IGNORECASE)
_MOST_MARKS = 8  # on either side
_ENDING_MARK = re.compile(rf"{_TOKEN}|^[ \t]*</(?:{_TAGS})>", re.MULTILINE)
_PROSE = re.compile(
    r"\n(?=[A-Z][\w'\u2019-]*(?:[:,.]? [A-Za-z(`]|:\n)|\*\*\w|[-*] [A-Za-z`*]|\d+[.)] [A-Za-z`*]|-{3,}\n"
    r"|[\u3000-\u9fff\uac00-\ud7af])"
)
_MOST_PROSE = 8  # lines that may begin it
_TAG_LINE = re.compile(
    r"\s*(?:(?:python|py)[ \t]?\d{0,2}(?:\.\d+)*|[\w./-]{1,100}\.py|Copy code):?[ \t]*\n(?:Copy code\n)?",
    re.IGNORECASE,
)
_CELL_OPTIONS = re.compile(r"\s*(?:---\n(?:.*\n){0,20}?---\n|(?::[\w-]{1,40}:.*\n)+)")  # of MyST
_UNUSUAL_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE = re.compile(f"[{INVISIBLE}]")


class BlockKind(IntEnum):
    """What the tag of a block says of it, the likeliest program first."""

    PYTHON = 0
    UNTAGGED = 1
    UNKNOWN = 2  # a tag that names no language, or prose behind the code
    INLINE = 3  # within a line
    OTHER = 4  # another language, or output


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A block: its text, and what that is if it is Python (None: it is not)."""

    kind: BlockKind
    text: str
    source: PythonSource | None


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


@dataclass(frozen=True, slots=True)
class _Fence:
    """A run of three or more marks: where it stands, what is before and after it on its line."""

    start: int
    end: int
    mark: str
    count: int
    prefix: str | None  # None: text that is no Markdown stands before it
    line: int
    line_start: int
    line_end: int
    info: str

    @property
    def content_end(self) -> int:
        """Where a block that this run closes ends."""
        return self.start if self.prefix is None else self.line_start


class SourceReader:
    """Asks whether texts are Python, within a budget that keeps the reading of a reply linear in its length."""

    def __init__(self, length: int) -> None:
        self._left = 65_536 + 6 * length

    def spend(self, characters: int) -> bool:
        """Take ``characters`` from the budget; False once it is used up."""
        self._left -= characters
        return self._left >= 0

    def read(self, text: str) -> tuple[str, PythonSource | None]:
        """Return ``text``, or what a person would take it for, such that it is Python; else ``text`` and None."""
        for changed in _readings(text):
            if not self.spend(len(changed)):
                break
            source = read_python(changed)
            if source is not None:
                return changed, source
        return text, None


def _readings(text: str) -> Iterator[str]:
    """Yield ``text`` without first lines that are a tag or options, then other texts that look alike, if any."""
    for first_lines in (_TAG_LINE, _CELL_OPTIONS):
        if match := first_lines.match(text):
            text = text[match.end() :]
    yield text
    if (dedented := _dedent(text)) != text:
        yield dedented
    cleaned = _INVISIBLE.sub("", _UNUSUAL_BLANKS.sub(" ", text))
    if cleaned != text:
        yield cleaned
        if (dedented := _dedent(cleaned)) != cleaned:
            yield dedented
    if (bare := _without_marks(cleaned)) != cleaned:
        yield bare


def _without_marks(text: str) -> str:
    """Return ``text`` without the marks around a message or an answer, such as ``<|im_end|>``."""
    begin, bare = 0, text.rstrip()
    for _ in range(_MOST_MARKS):
        match = _LAST_MARK.search(bare, max(0, len(bare) - 50))
        if match is None:
            break
        bare = bare[: match.start()].rstrip()
    for _ in range(_MOST_MARKS):
        match = _FIRST_MARK.match(bare, begin)
        if match is None:
            break
        begin = match.end()
    return text if not begin and bare == text.rstrip() else bare[begin:].lstrip(" ") + "\n"


def _dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip(" \t")


def find_code_blocks(text: str, reader: SourceReader) -> list[CodeBlock]:
    """Return the blocks of ``text`` that hold anything, in order; its lines end in ``\\n``."""
    return list(_Scanner(text, reader).blocks())


class _Scanner:
    def __init__(self, text: str, reader: SourceReader) -> None:
        self._text = text
        self._reader = reader
        self._fences = list(_find_fences(text))
        self._quotes = QuotedText(text)
        self._wrappers: list[_Fence] = []

    def blocks(self) -> Iterator[CodeBlock]:
        """Yield the blocks."""
        number = 0
        if block := self._block_never_opened():
            yield block
            number = 1
        while number < len(self._fences):
            fence = self._fences[number]
            partner = self._fences[number + 1] if number + 1 < len(self._fences) else None
            if self._closes_wrapper(fence):
                self._wrappers.pop()
                number += 1
            elif partner is not None and partner.line == fence.line and partner.mark == fence.mark:
                number += 1
                if not _begins_python(partner):
                    yield from self._inline(fence, partner)
                    number += 1
            elif (kind := _opening_kind(fence)) is None:
                number += 1
            else:
                content, number, is_wrapper = self._content(number, kind)
                if is_wrapper:
                    self._wrappers.append(fence)
                else:
                    yield from self._block(kind, content)

    def _block_never_opened(self) -> CodeBlock | None:
        """Return the program before the first run, where the runs behind it say that this one closes a block."""
        fences = self._fences[:2]
        if not fences or _opening_kind(fences[0]) not in (None, BlockKind.UNTAGGED):
            return None
        if not len(self._fences) % 2 and not _is_opening_inside(fences[1]):
            return None
        text, source = self._reader.read(self._text[: self._fences[0].content_end])
        return CodeBlock(BlockKind.UNTAGGED, text, source) if source is not None and source.acts else None

    def _closes_wrapper(self, fence: _Fence) -> bool:
        if not self._wrappers or fence.info or fence.prefix is None:
            return False
        wrapper = self._wrappers[-1]
        return fence.mark == wrapper.mark and fence.count >= wrapper.count

    def _inline(self, fence: _Fence, partner: _Fence) -> Iterator[CodeBlock]:
        content = self._text[fence.end : partner.start]
        kind = BlockKind.INLINE
        if (match := _PYTHON.match(content[:_LONGEST_INFO])) and content[match.end() : match.end() + 1].isspace():
            content, kind = content[match.end() :], BlockKind.PYTHON
        yield from self._block(kind, content.strip() + "\n")

    def _block(self, kind: BlockKind, content: str) -> Iterator[CodeBlock]:
        text, source = self._reader.read(content)
        if source is None and kind is BlockKind.PYTHON:
            text, source = self._before_prose(content)
            kind = BlockKind.PYTHON if source is None else BlockKind.UNKNOWN  # it may be notes on another program
        if text.strip():
            yield CodeBlock(kind, text, source)

    def _before_prose(self, content: str) -> tuple[str, PythonSource | None]:
        """Return the program that prose follows, where the closing fence was forgotten; else ``content`` and None."""
        for match in islice(_PROSE.finditer(content), _MOST_PROSE):
            text, source = self._reader.read(content[: match.end()])
            if source is not None and source.acts:
                return text, source
        return content, None

    def _content(self, number: int, kind: BlockKind) -> tuple[str, int, bool]:
        """Return the text of the block that fence ``number`` opens, the fence to go on at, and whether it wraps."""
        fence = self._fences[number]
        begin, head = min(fence.line_end + 1, len(self._text)), _code_on_line(fence)
        aware, plain = self._ends(number, kind, begin)
        ends = list(dict.fromkeys((aware, plain)))
        texts = [head + self._between(begin, end, fence) for end in ends]
        chosen = 0
        if len(ends) > 1:
            sources = (self._reader.read(text)[1] for text in texts)
            chosen = next((place for place, source in enumerate(sources) if source is not None), 1)
        end, content = ends[chosen], texts[chosen]
        if head and self._reader.read(content)[1] is None:
            content = content.removeprefix(head)
        if end is None:
            return self._unclosed(content), len(self._fences), False
        if not _is_opening_inside(self._fences[end]):
            return content, end + 1, False
        is_wrapper = False
        if self._reader.read(content)[1] is None:
            content = content.rpartition("\n\n")[0] or content  # a sentence before the next block
            is_wrapper = kind is BlockKind.UNTAGGED and self._reader.read(content)[1] is None
        return content, end, is_wrapper or _is_markdown(fence)

    def _ends(self, number: int, kind: BlockKind, begin: int) -> tuple[int | None, int | None]:
        """Return the fence that ends the block if quotes are heeded, and the one that does if they are not.

        None is the end of the text.
        """
        fence = self._fences[number]
        quoted = begin  # the end of the last string or comment
        plain: int | None = None
        shorter: int | None = None
        for place in range(number + 1, len(self._fences)):
            other = self._fences[place]
            if other.mark != fence.mark or (kind is BlockKind.OTHER and other.prefix is None):
                continue
            if other.count < fence.count and not _is_opening_inside(other):
                shorter = place if shorter is None and other.prefix is not None and not other.info else shorter
                continue
            if plain is None or (self._fences[plain].prefix is None and other.prefix is not None):
                plain = place
            if kind is BlockKind.OTHER or not self._reader.spend(max(0, other.start - quoted)):
                return plain, plain
            quoted = max((end for _, end in self._quotes.spans(quoted, other.start)), default=quoted)
            if quoted <= other.start:
                return place, plain
        return None, plain if plain is not None else shorter

    def _between(self, begin: int, end: int | None, fence: _Fence) -> str:
        text = self._text[begin : len(self._text) if end is None else max(begin, self._fences[end].content_end)]
        return _without_prefix(text, fence.prefix or "")

    def _unclosed(self, content: str) -> str:
        """Return ``content`` up to a mark that ends a message, or up to prose, if it is Python then."""
        if match := _ENDING_MARK.search(content):
            cut, source = self._reader.read(content[: match.start()])
            if source is not None:
                return cut
        return content if self._reader.read(content)[1] is not None else self._before_prose(content)[0]


def _find_fences(text: str) -> Iterator[_Fence]:
    line_start = 0
    for number, line in enumerate(text.split("\n")):
        line_end = line_start + len(line)
        runs = list(_RUN.finditer(line)) if "`" in line or "~~~" in line else []
        for place, run in enumerate(runs):
            next_start = runs[place + 1].start() if place + 1 < len(runs) else len(line)
            mark = "~" if run[0][0] == "~" else "`"
            prefix = None
            if place == 0 and (match := _PREFIX.match(line, 0, run.start())) and match.end() == run.start():
                prefix = match[0]
            if mark == "~" and prefix is None:
                continue
            yield _Fence(
                line_start + run.start(),
                line_start + run.end(),
                mark,
                run[0].count(mark),
                prefix,
                number,
                line_start,
                line_end,
                _INVISIBLE.sub("", line[run.end() : min(next_start, run.end() + _LONGEST_INFO)]).rstrip(),
            )
        line_start = line_end + 1


def _is_python(info: str) -> bool:
    """Return whether ``info`` is the tag of a Python block, rather than a sentence that begins with the word."""
    if match := _PYTHON.match(info):
        rest = info[match.end() :]
        return len(rest.split()) <= 3 or re.search(r"[={]", rest) is not None or _CODE_ON_LINE.match(rest) is not None
    return len(info.split()) <= 4 and _PYTHON_FILE.search(info) is not None


def _begins_python(fence: _Fence) -> bool:
    """Return whether a run inside a block begins a Python block: its tag is attached to it, or all there is."""
    if not _is_python(fence.info):
        return False
    match = _PYTHON.match(fence.info)
    return not fence.info[0].isspace() or (match is not None and not fence.info[match.end() :].strip())


def _language(fence: _Fence) -> str:
    return next(iter(fence.info.split()), "").strip("{}.,:").lower()


def _is_markdown(fence: _Fence) -> bool:
    return _language(fence) in _MARKDOWN


def _is_opening_inside(fence: _Fence) -> bool:
    """Return whether a run inside a block opens another one rather than closing that."""
    if _begins_python(fence):
        return True
    attached = bool(fence.info) and not fence.info[0].isspace() and fence.prefix is not None
    return attached and (_language(fence) in _OTHER_LANGUAGES or _is_markdown(fence))


def _opening_kind(fence: _Fence) -> BlockKind | None:
    """Return the kind of the block that a run outside blocks opens, None if it opens none."""
    info = fence.info.strip()
    is_attached = fence.prefix is not None and _PYTHON.match(fence.info) is not None and not fence.info[0].isspace()
    if is_attached or _is_python(fence.info):
        return BlockKind.PYTHON
    if not info or _CODE_ON_LINE.match(info):
        return BlockKind.UNTAGGED
    if _language(fence) in _OTHER_LANGUAGES or _is_markdown(fence):
        return BlockKind.OTHER
    words = info.split()
    is_tag = len(words) == 1 if fence.prefix is None else len(words) <= 3 or "=" in info
    is_sentence = info[0] in "<.,;:!?)" or (info[-1] in ".!?:" and len(words) > 1)
    return BlockKind.UNKNOWN if is_tag and not is_sentence else None


def _code_on_line(fence: _Fence) -> str:
    """Return the code behind the tag on the opening line, if there is any."""
    match = _PYTHON.match(fence.info)
    rest = fence.info[match.end() if match else 0 :]
    return rest.strip() + "\n" if _CODE_ON_LINE.match(rest) and (match or not _is_python(fence.info)) else ""


def _without_prefix(text: str, prefix: str) -> str:
    """Return ``text`` without the quote marks and the indentation that its opening fence has."""
    depth = prefix.count(">")
    if depth:
        quote = re.compile(rf"(?:[ \t]*>){{1,{depth}}}{' ?' if prefix.endswith(' ') else ''}")
        lines = text.splitlines(keepends=True)
        if all(quote.match(line) for line in lines if line.strip()):
            return "".join(quote.sub("", line, count=1) for line in lines)
    if prefix and not prefix.strip():
        lines = text.splitlines(keepends=True)
        if all(line.startswith(prefix) for line in lines if line.strip()):
            return "".join(line.removeprefix(prefix) if line.strip() else "\n" for line in lines)
    return text
