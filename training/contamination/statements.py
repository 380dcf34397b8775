"""Statements that are one problem: containment of word 8-grams, without a model.

>>> near_statements(Statements(train), Statements(test), least=0.5)
[Alike(problem=0, other=17, containment=0.93)]

Words are lower-cased; images, links, markup and the commands of TeX are no words. An 8-gram counts if one of its words
is about the matter: not a number, not a single letter, not a word of the forms in which problems say their input and
output ("the first line contains a single integer n"). One that more than ``max(20, 2 %)`` of all statements have is a
data set's own boilerplate ("read problem statements in Mandarin Chinese"), and does not count either. Statements of
fewer than 8 words, and those in which no 8-gram counts, are one problem if all their words are equal, and else not.

Sets of 15,000 statements take seconds and some 100 MB: the 8-grams are numbers in arrays.
"""

import html
import re
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turnwise.tasks.python_tokens import words as words_of_table
from turnwise.training.data.similarity import hash_runs

LENGTH = 8  # words of a gram
_COMMON, _COMMON_SHARE = 20, 0.02  # of statements that have a gram of boilerplate, at least more than both
_SHOWN_WORDS = 30
# Not every text between < and > is a tag: i<n and j>0 are two conditions.
_TAG = (
    "a|b|big|blockquote|br|center|code|dd|div|dl|dt|em|font|h[1-6]|hr|i|image|img|kbd|li|ol|p|pre|s|samp|script|section"
    "|small|span|strong|style|sub|sup|table|tbody|td|th|thead|tr|tt|u|ul|var"
)
_MARKUP = re.compile(
    rf"</?(?:{_TAG})(?:\s+[a-z-]+\s*=[^<>\n]{{0,2000}})?\s*/?>|!\[[^\]\n]{{0,300}}\]\([^)\s]{{0,2000}}\)|https?://\S+"
    r"|\\(?:begin|end)\{[a-z*]+\}|\\[a-z]+|\$+",
    re.IGNORECASE,
)
_WORD = re.compile(r"[぀-ヿ㐀-鿿가-힣]|[^\W_]+")  # without blanks between them, each character is a word
_FORMS = words_of_table(
    """
    a an and as at be by for from if in is it no not of on or than that the then this to with
    all also another any are as each every exactly he i its only other others she their they we which you your
    first second third fourth next following last single one two three four five six
    answer answers array case cases character characters consist consisting consists constraint constraints contain
    containing contains correct considered denote denotes denoting describe describes describing description
    descriptions display do does error example examples exceed exceeds explanation find follow following follows format
    function give given gives greater guaranteed inclusive independent input inputs integer integers jury least length
    less letter letters line lines list more most multiple natural negative newline non note notes number numbers
    otherwise output outputs over per positive possible print printed prints problem program programming python real
    respectively result results return returns sample samples separate separated several should size space spaced
    spaces standard statement string strings subtask subtasks such sum task test testcase testcases tests them there
    total up value values where whitespace will would write yes may must can between absolute relative accepted
    code english latin lowercase uppercase equal float int str bool def assert true false none typing import here
    """
)


@dataclass(frozen=True, slots=True)
class Alike:
    """Two statements by their numbers, and the share of the 8-grams of the shorter that the longer one has."""

    problem: int
    other: int
    containment: float


@dataclass(frozen=True, slots=True)
class _Grams:
    """The 8-grams that count, each once in a statement, and the statements that have them; ``sizes`` [statements]."""

    hashes: NDArray[np.uint64]
    owners: NDArray[np.int64]
    sizes: NDArray[np.int64]


def words_of(statement: str) -> list[str]:
    """Return the words of a statement, in their order."""
    return _WORD.findall(_MARKUP.sub(" ", html.unescape(statement)).lower())


class Statements:
    """Statements and their 8-grams, read once to be compared with several others."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts
        self.grams = _grams_of(texts)


def near_statements(statements: Statements, others: Statements, *, least: float) -> list[Alike]:
    """Return the pairs of a statement and one of the ``others`` of a containment of ``least`` or more.

    In the order of ``statements``, then of ``others``. Equal short ones have a containment of 1.
    """
    grams, other_grams = _without_common(statements.grams, others.grams)
    found = _shared(grams, other_grams, least)
    by_words: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for other in np.flatnonzero(other_grams.sizes == 0).tolist():
        by_words[tuple(words_of(others.texts[other]))].append(other)
    by_words.pop((), None)  # a text that is missing equals no other
    for number in np.flatnonzero(grams.sizes == 0).tolist():
        words = tuple(words_of(statements.texts[number]))
        found += [Alike(number, other, 1.0) for other in by_words.get(words, ())]
    return sorted(found, key=lambda pair: (pair.problem, pair.other))


def shared_words(statement: str, other: str) -> str:
    """Return the longest run of words that both have and that holds an 8-gram that counts; cut, "" if there is none."""
    table: dict[str, tuple[int, bool]] = {}
    words, others = words_of(statement), words_of(other)
    if words == others:
        return " ".join(words[:_SHOWN_WORDS])
    if min(len(words), len(others)) < LENGTH:
        return ""
    hashes, _ = _runs(words, table)
    is_shared = np.isin(hashes, _runs(others, table)[0])
    best = (0, 0)
    start = 0
    for at, shared in enumerate([*is_shared.tolist(), False]):
        if not shared:
            best = max(best, (at - start, -start))
            start = at + 1
    length, first = best[0], -best[1]
    return " ".join(words[first : first + min(_SHOWN_WORDS, length + LENGTH - 1)]) if length else ""


def _runs(words: Sequence[str], table: dict[str, tuple[int, bool]]) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Return the hashes of the 8-grams, and which of them count."""
    codes, matter = [], []
    for word in words:
        if (known := table.get(word)) is None:
            is_matter = len(word) > 1 and word.isalpha() and word not in _FORMS
            known = table[word] = (zlib.crc32(word.encode("utf-8", "surrogatepass")) + 1, is_matter)
        codes.append(known[0])
        matter.append(known[1])
    counts = np.concatenate(([0], np.cumsum(matter)))
    return hash_runs(codes, LENGTH), counts[LENGTH:] > counts[:-LENGTH]


def _grams_of(statements: Sequence[str]) -> _Grams:
    table: dict[str, tuple[int, bool]] = {}
    parts: list[NDArray[np.uint64]] = []
    for statement in statements:
        if len(words := words_of(statement)) < LENGTH:
            parts.append(np.empty(0, dtype=np.uint64))
            continue
        hashes, counting = _runs(words, table)
        parts.append(np.unique(hashes[counting]))
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    hashes = np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)
    return _Grams(hashes, np.repeat(np.arange(len(parts)), sizes), sizes)


def _without_common(*sets: _Grams) -> list[_Grams]:
    """Return the sets without the 8-grams that are boilerplate."""
    statements = sum(len(one.sizes) for one in sets)
    hashes, counts = np.unique(np.concatenate([one.hashes for one in sets]), return_counts=True)
    common = hashes[counts > max(_COMMON, _COMMON_SHARE * statements)]
    kept = []
    for one in sets:
        rare = ~np.isin(one.hashes, common)
        owners = one.owners[rare]
        kept.append(_Grams(one.hashes[rare], owners, np.bincount(owners, minlength=len(one.sizes))))
    return kept


def _shared(grams: _Grams, others: _Grams, least: float) -> list[Alike]:
    """Return the pairs by their shared 8-grams; an 8-gram is in few statements, so there are not many."""
    order = np.argsort(others.hashes, kind="stable")
    index = others.hashes[order]
    begin, end = (np.searchsorted(index, grams.hashes, side=side) for side in ("left", "right"))
    times = end - begin
    ours = np.repeat(grams.owners, times)
    within = np.arange(len(ours)) - np.repeat(np.cumsum(times) - times, times)
    theirs = others.owners[order[np.repeat(begin, times) + within]]
    pairs, counts = np.unique(ours * max(1, len(others.sizes)) + theirs, return_counts=True)
    first, second = np.divmod(pairs, max(1, len(others.sizes)))
    containment = counts / np.minimum(grams.sizes[first], others.sizes[second])
    near = np.flatnonzero(containment >= least - 1e-12)
    return [Alike(int(first[at]), int(second[at]), float(containment[at])) for at in near]
