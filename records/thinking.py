"""What a model thinks before it answers, by the marks that models put around it: it is no part of the answer.

Known are tags such as ``<think>``, ``[THINK]``, ``◁think▷`` and ``<|begin_of_thought|>``, each with its closing
form, and the channels of OpenAI's harmony format. A closing mark without an opening one ends a thought that the
prompt began. An opening one without a closing one counts where it begins a line: the reply was cut off, unless an
answer tag follows. A mark inside quotes is talk about the mark.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = (
    r"(?P<{group}>(?:[a-z]{{1,16}}[:_]|ant)?(?:(?:think|reason)(?:ing)?(?:_?process|_?trace)?|thoughts?|thought_process"
    r"|chain_of_thoughts?|cot|reflection|scratchpad|analysis|rationale|brainstorm(?:ing)?|monologue))"
)
_TAG = re.compile(
    "|".join(
        pattern.replace("NAME", _NAME.format(group=f"name{number}"))
        for number, pattern in enumerate(
            (
                r"<(?P<slash>/?)NAME(?:\s[^<>\n]{0,100})?>",
                r"\[(?P<bracket_slash>/?)NAME\]",
                r"◁(?P<triangle_slash>/?)NAME▷",
                r"<\|(?:start|begin|(?P<end>end))_(?:of_)?NAME\|>",
                r"<\|(?P<bar_slash>/?)NAME\|>",
                r"<\|?NAME_(?:start|begin|(?P<end_behind>end))\|?>",
            )
        )
    ),
    re.IGNORECASE,
)
_CLOSING_GROUPS = ("slash", "bracket_slash", "triangle_slash", "bar_slash", "end", "end_behind")
ANSWER_TAGS = "answer|solution|code|response|output|final|final_answer"
_ANSWER = re.compile(
    rf"^[ \t]*(?:<(?:{ANSWER_TAGS})>|<\|begin_of_solution\|>|<\|START_RESPONSE\|>)", re.MULTILINE | re.IGNORECASE
)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?P<channel>\w*)(?:[^<\n]{0,200}(?:<\|constrain\|>[^<\n]{0,200})?<\|message\|>)?", re.IGNORECASE
)
_END_OF_MESSAGE = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_BARE_CHANNELS = re.compile(r"\s*analysis(?![a-z ]).*?assistant(?:commentary.*?assistant)?final", re.DOTALL)
_FENCE = re.compile("`{3,}")
_LINE_WINDOW = 500  # characters before and after a mark that are searched for quotes on its line
_BLOCK_WINDOW = 2_000  # and for triple quotes in its code block
_DEEPEST = 16  # thoughts of different names within one another
_SPOKEN = re.compile(r"\s*Here is my thought process:.*?^\s*Here is my response:", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Mark:
    start: int
    end: int
    name: str
    closes: bool
    begins_line: bool
    in_comment: bool


def strip_thinking(text: str) -> str:
    """Return ``text`` without what its marks say is thinking; nothing of a thought that is never ended."""
    if channels := [match for match in _CHANNEL.finditer(text) if not _is_quoted(text, match)]:
        return _final_channel(text, channels)
    for spoken in (_BARE_CHANNELS, _SPOKEN):
        if match := spoken.match(text):
            return text[match.end() :]
    return _without_tagged_thoughts(text)


def _final_channel(text: str, channels: list[re.Match[str]]) -> str:
    """Return the messages of the channel ``final``, the only one that the user of a harmony model is shown."""
    kept = []
    for match in channels:
        if match["channel"].lower() == "final":
            end = _END_OF_MESSAGE.search(text, match.end())
            kept.append(text[match.end() : end.start() if end else len(text)])
    return "\n".join(kept)


def _without_tagged_thoughts(text: str) -> str:
    marks = list(_marks(text))
    last_close = {mark.name: mark.start for mark in marks if mark.closes}
    kept: list[str] = []
    position = 0  # of the text that is not yet kept or dropped
    open_names: list[str] = []
    for mark in marks:
        if mark.in_comment and mark.name not in open_names:
            continue
        if not mark.closes:
            ends = last_close.get(mark.name, -1) > mark.start
            if mark.name not in open_names and len(open_names) < _DEEPEST and (ends or mark.begins_line):
                if not open_names:
                    kept.append(text[position : mark.start])
                    position = mark.end
                open_names.append(mark.name)
        elif mark.name in open_names:
            del open_names[open_names.index(mark.name) :]
            position = mark.end
        else:  # closes what the prompt opened, or under another name
            if not open_names:
                kept.clear()
            open_names.clear()
            position = mark.end
    if open_names:
        answers = list(_ANSWER.finditer(text, position))
        position = answers[-1].start() if answers else len(text)
    return "".join((*kept, text[position:]))


def _marks(text: str) -> Iterator[_Mark]:
    """Yield the marks in order, without those that stand in quotes."""
    for match in _TAG.finditer(text):
        if not _is_quoted(text, match):
            name = next(value for group, value in match.groupdict().items() if group.startswith("name") and value)
            closes = any(match[group] for group in _CLOSING_GROUPS)
            before = text[max(0, match.start() - _LINE_WINDOW) : match.start()].rpartition("\n")[2].strip()
            is_heading = match[0][0] == "[" and name.lower() != "think"  # "[Analysis]"
            begins_line = not before and not is_heading
            yield _Mark(match.start(), match.end(), name.lower(), closes, begins_line, before.startswith("# "))


def _is_quoted(text: str, mark: re.Match[str]) -> bool:
    """Return whether a quote before the mark is closed behind it: on its line, or in its code block."""
    before = text[max(0, mark.start() - _BLOCK_WINDOW) : mark.start()]
    after = text[mark.end() : mark.end() + _BLOCK_WINDOW]
    code = before.rpartition("```")[2]
    if len(code) < len(before) and any(code.count(quotes) % 2 and quotes in after for quotes in ('"""', "'''")):
        return True
    before = _FENCE.sub("", before[-_LINE_WINDOW:].rpartition("\n")[2])
    after = _FENCE.sub("", after[:_LINE_WINDOW].partition("\n")[0])
    if any(before.count(quote) % 2 and quote in after for quote in ('"', "`")):
        return True
    opened = re.search(r"(?<![A-Za-z0-9_'])[rbfuRBFU]{0,2}'[^']*\Z", before)
    return opened is not None and "'" in after
