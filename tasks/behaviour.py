"""How models behave turn by turn: how programs fail, which failures are repaired, how answers change and look.

    failures      verdicts of the programs of a turn, on all tests where they were judged, else on the public ones
    repairs       of the dialogues that were wrong at turn i and went on, those that are right at turn i + 1
    similarity    of consecutive programs of a dialogue: difflib's ratio over tokens, or chrF as RLEF has it
    non-code      1 - characters in fenced code / characters of the turn's answers; the mean over turns (the formula
                  is ours; 2410.08105 compares such a share before and after fine-tuning)

Computed from trajectories and judgements alone. A turn that is not there is not counted, and what is not judged is
neither right nor wrong.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import Match, SequenceMatcher
from itertools import accumulate
from statistics import fmean

from markdown_it import MarkdownIt

from turnwise.errors import MissingExtraError
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.report import Verdict
from turnwise.records.trajectory import End, Trajectory, Turn

Similarity = Callable[[str, str], float]

_TOKEN = re.compile(r"\w+|[^\w\s]|\n")
_PARSER = MarkdownIt("commonmark")


@dataclass(slots=True)
class TurnBehaviour:
    """What was seen at one turn of all dialogues; lists hold one value for each dialogue that has it."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    public_only: int = 0
    solved: int = 0
    repairs: int = 0
    repairable: int = 0
    similarities: list[float] = field(default_factory=list)
    non_code: list[float] = field(default_factory=list)
    characters: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    @property
    def dialogues(self) -> int:
        """How many dialogues had this turn."""
        return sum(self.verdicts.values())


@dataclass(frozen=True, slots=True)
class Behaviour:
    """The turns, from the first, and how the dialogues ended."""

    turns: tuple[TurnBehaviour, ...]
    ends: Mapping[End, int]


class BehaviourCounter:
    """Counts behaviour, a dialogue at a time; ``similarity`` compares consecutive programs."""

    def __init__(self, similarity: Similarity) -> None:
        self._similarity = similarity
        self._turns: list[TurnBehaviour] = []
        self._ends: Counter[End] = Counter()

    def add(
        self, trajectory: Trajectory, judgements: Mapping[Place, Judgement], *, compares_texts: bool = True
    ) -> None:
        """Count one dialogue; its programs are compared and its answers parsed, which takes long, if asked for."""
        self._ends[trajectory.end] += 1
        self._turns += [TurnBehaviour() for _ in range(len(trajectory.turns) - len(self._turns))]
        _add_verdicts(self._turns, trajectory, judgements)
        if compares_texts:
            _add_texts(self._turns, trajectory, self._similarity)

    @property
    def behaviour(self) -> Behaviour:
        """What was counted so far."""
        return Behaviour(tuple(self._turns), self._ends)


def measure(
    trajectories: Iterable[Trajectory], judgements: Mapping[Place, Judgement], *, similarity: Similarity
) -> Behaviour:
    """Return the behaviour in ``trajectories``; one dialogue in memory at a time."""
    counter = BehaviourCounter(similarity)
    for trajectory in trajectories:
        counter.add(trajectory, judgements)
    return counter.behaviour


def _add_verdicts(turns: list[TurnBehaviour], trajectory: Trajectory, judgements: Mapping[Place, Judgement]) -> None:
    solved_before: bool | None = None
    for seen, turn, place in zip(turns, trajectory.turns, places_of(trajectory), strict=False):
        judgement = judgements.get(place) if place is not None else None
        verdict = judgement.verdict if judgement is not None else turn.public_report.verdict
        solved = _is_solved(turn, judgement)
        seen.verdicts[verdict] += 1
        seen.public_only += solved is None
        seen.solved += solved is True
        if solved_before is False and solved is not None:
            seen.repairable += 1
            seen.repairs += solved
        solved_before = solved


def _add_texts(turns: list[TurnBehaviour], trajectory: Trajectory, similarity: Similarity) -> None:
    previous: str | None = None
    for seen, turn in zip(turns, trajectory.turns, strict=False):
        if previous is not None and turn.program is not None:
            seen.similarities.append(similarity(previous, turn.program))
        _add_answer(seen, turn)
        previous = turn.program


def _is_solved(turn: Turn, judgement: Judgement | None) -> bool | None:
    """Return whether the turn's program is right, None where it passed the public tests and was not judged."""
    if judgement is not None:
        return judgement.passed
    return None if turn.public_report.public_passed and turn.program is not None else False


def _add_answer(seen: TurnBehaviour, turn: Turn) -> None:
    answers = [call.answer for call in turn.calls]
    characters = sum(map(len, answers))
    seen.characters.append(characters)
    if characters:
        seen.non_code.append(1 - sum(map(code_characters, answers)) / characters)
    tokens = [call.reply.completion_tokens for call in turn.calls]
    if None not in tokens:
        seen.tokens.append(sum(token or 0 for token in tokens))


def code_characters(text: str) -> int:
    """Return how many characters of ``text`` stand in fenced code blocks."""
    return sum(len(token.content) for token in _PARSER.parse(text) if token.type == "fence")


def mean_of(values: Iterable[float]) -> float | None:
    """Return the mean, None of nothing."""
    several = list(values)
    return fmean(several) if several else None


def ratio(first: str, second: str) -> float:
    """Return difflib's ratio over the tokens of two programs: 1.0 for equal ones."""
    if first == second:
        return 1.0
    return SequenceMatcher(None, _TOKEN.findall(first), _TOKEN.findall(second), autojunk=False).ratio()


class _TooManyStepsError(Exception):
    """Comparing takes more steps than it may."""


class _BoundedMatcher(SequenceMatcher[str]):
    """difflib's matcher; raises _TooManyStepsError where it would look at more than ``most`` pairs of equal tokens."""

    def __init__(self, first: list[str], second: list[str], most: int) -> None:
        super().__init__(None, first, second, autojunk=False)
        counts = Counter(second)
        self._steps = list(accumulate((counts[token] for token in first), initial=0))
        self._left = most

    def find_longest_match(self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None) -> Match:
        """Return the match as difflib does."""
        self._left -= self._steps[len(self._steps) - 1 if ahi is None else ahi] - self._steps[alo]
        if self._left < 0:
            raise _TooManyStepsError
        return super().find_longest_match(alo, ahi, blo, bhi)


def bounded_ratio(first: str, second: str, *, most: int) -> float:
    """Return ``ratio``, or, where that takes more than ``most`` steps, the share of tokens that both have.

    Programs that repeat a line take difflib time that is cubic in their length. A step takes about 50 ns; the share is
    an upper bound of the ratio (difflib's quick ratio).
    """
    if first == second:
        return 1.0
    matcher = _BoundedMatcher(_TOKEN.findall(first), _TOKEN.findall(second), most)
    try:
        return matcher.ratio()
    except _TooManyStepsError:
        return matcher.quick_ratio()


def load_chrf() -> Similarity:
    """Return chrF as RLEF uses it (2410.02089: character order 6, word order 0, beta 2), between 0 and 1.

    Raises MissingExtraError without sacrebleu.
    """
    try:
        from sacrebleu.metrics import CHRF
    except ImportError:
        raise MissingExtraError("chrF", "sacrebleu", "chrf") from None
    metric = CHRF(char_order=6, word_order=0, beta=2)
    return lambda first, second: float(metric.sentence_score(second, [first]).score) / 100
