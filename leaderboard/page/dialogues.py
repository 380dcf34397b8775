"""Dialogues packed for the page: what each turn said, wrote and passed, in compressed pieces.

A piece holds consecutive problems of one row; texts that several messages share stand in it once. Of hidden tests
there is the verdict alone. Only what is named here leaves a trajectory: no token ids, no log-probabilities.

A reply's markdown is a tree of plain values, which the page turns into elements one by one:

>>> markdown_tree("# Hi\\n<b>x</b>")
[['h', 'Hi'], ['p', '<b>x</b>']]

A node is a text or a list ``[tag, child, ...]`` with a tag of ``TAGS``; there is no attribute in it, so nothing that
a model writes can be one. HTML is text, a link is its text followed by its address, an image its description.
"""

import base64
import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from turnwise.json_text import json_line
from turnwise.leaderboard.charts.data import similarity_of_beginnings
from turnwise.leaderboard.page.table import PageRow
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.report import Report
from turnwise.records.trajectory import Call, Trajectory, Turn
from turnwise.tasks.behaviour import Behaviour, BehaviourCounter

PIECE_CHARACTERS = 1_000_000
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
Node = object  # str | list[Node]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some problems of one row: ``data`` is base64 of gzip of JSON ``{texts, problems: {id: [dialogue]}}``."""

    row: str
    number: int
    problems: tuple[str, ...]
    data: str


def packed(document: object) -> str:
    """Return base64 of gzip of JSON, which the page's script inflates."""
    text = json_line(document)
    return base64.b64encode(gzip.compress(text.encode("ascii"), 6, mtime=0)).decode("ascii")


@dataclass(slots=True)
class _Open:
    """A piece that is being filled."""

    texts: dict[str, int] = field(default_factory=dict)
    problems: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    characters: int = 0

    def refer(self, text: str) -> int:
        """Return where ``text`` stands among the texts of the piece."""
        if text not in self.texts:
            self.texts[text] = len(self.texts)
            self.characters += len(text)
        return self.texts[text]


class Packer:
    """Packs the dialogues of one row, those of one problem after each other."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._open = _Open()
        self._previous = ""

    def add(self, trajectory: Trajectory, judgements: Mapping[Place, Judgement]) -> None:
        """Pack one dialogue."""
        if trajectory.problem != self._previous and self._open.characters > PIECE_CHARACTERS:
            self._close()
        self._previous = trajectory.problem
        self._open.problems.setdefault(trajectory.problem, []).append(self._dialogue(trajectory, judgements))

    def pieces(self, row: str) -> list[Piece]:
        """Return the pieces, as those of the row that is called ``row``; nothing is added afterwards."""
        self._close()
        return [replace(piece, row=row) for piece in self._pieces]

    def _close(self) -> None:
        if self._open.problems:
            data = packed({"texts": list(self._open.texts), "problems": self._open.problems})
            self._pieces.append(Piece("", len(self._pieces), tuple(self._open.problems), data))
        self._open = _Open()

    def _dialogue(self, trajectory: Trajectory, judgements: Mapping[Place, Judgement]) -> dict[str, object]:
        turns = zip(trajectory.turns, places_of(trajectory), strict=True)
        return {
            "sample": trajectory.sample,
            "end": trajectory.end.value,
            "turns": [self._turn(turn, judgements.get(place) if place else None) for turn, place in turns],
        }

    def _turn(self, turn: Turn, judgement: Judgement | None) -> dict[str, object]:
        return {
            "calls": [self._call(call) for call in turn.calls],
            "program": None if turn.program is None else self._open.refer(turn.program),
            "public": self._report(turn.public_report),
            "hidden": _hidden_verdict(turn, judgement),
        }

    def _call(self, call: Call) -> dict[str, object]:
        reply = call.reply
        return {
            "messages": [[one.kind, one.prompt_id, self._open.refer(one.content)] for one in call.messages],
            "reply": self._open.refer(reply.text),
            "tree": markdown_tree(reply.text),
            "reasoning": self._open.refer(reply.reasoning) if reply.reasoning else None,
            "finish": reply.finish_reason,
            "tokens": [reply.prompt_tokens, reply.completion_tokens],
        }

    def _report(self, report: Report) -> dict[str, object]:
        results = [
            [one.verdict.value, self._open.refer(one.output), self._open.refer(one.error)] for one in report.public
        ]
        return {"verdict": report.verdict.value, "error": report.error, "tests": results}


class DialogueReader:
    """Takes in the dialogues of runs while they are scored (a witness of read_runs), so that a shard is read once.

    With ``pack`` it packs them for the page beside counting how models behave.
    """

    def __init__(self, *, pack: bool) -> None:
        self._pack = pack
        self._rows: dict[tuple[Path, str], tuple[BehaviourCounter, Packer]] = {}

    def __call__(self, run: Path, task: str, trajectory: Trajectory, judgements: Mapping[Place, Judgement]) -> None:
        """Take in one dialogue of ``task``."""
        counter, packer = self._of(run, task)
        counter.add(trajectory, judgements)
        if self._pack:
            packer.add(trajectory, judgements)

    def _of(self, run: Path, task: str) -> tuple[BehaviourCounter, Packer]:
        return self._rows.setdefault((run, task), (BehaviourCounter(similarity_of_beginnings), Packer()))

    def read(self, row: PageRow) -> tuple[Behaviour, list[Piece]]:
        """Return the behaviour in the dialogues of a row, and the pieces they are packed into."""
        counter, packer = self._of(row.scored.run.path, row.task)
        return counter.behaviour, packer.pieces(row.key)


def _hidden_verdict(turn: Turn, judgement: Judgement | None) -> str:
    """Return the verdict of the hidden tests, "" where they were not run or have not been.

    A program that passed the example tests while it was sampled and is judged anew may fail already there.
    """
    if judgement is None or turn.program is None:
        return ""
    if not (judgement.public_passed or turn.public_report.public_passed):
        return ""
    return judgement.verdict.value


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
