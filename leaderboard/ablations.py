"""The table rlef-ablation: what trainings by ``turnwise rlef`` gain that differ in feedback, value or turns.

    turnwise score runs/rlef runs/rlef-random runs/rlef-token --table rlef-ablation

The runs are the evaluations of trainings, or any runs of their checkpoints. A row is of one training, one task and one
metric: the run of the model that training began with, that of its last iteration, whichever was the best, and the
difference of the two on the problems that both know, with its interval.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.comparison import compare_tasks
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.paper_cells import feedback_of, find_estimate, known_first, those
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.published import published_ablation
from turnwise.leaderboard.tables import ScoredTask, notes, odd_mark, percent
from turnwise.records.choices import FeedbackKind, Over, PaperTable
from turnwise.records.metrics import NAtK
from turnwise.records.settings import DEFAULT_FEEDBACK
from turnwise.texts import printable

_KIND = PaperTable.RLEF_ABLATION
_PAPERS = "1@3"
_FEEDBACK = (DEFAULT_FEEDBACK, FeedbackKind.RANDOM.value, FeedbackKind.NONE.value)
_VALUES = ("turn", "token", "none")
_SEED = 0  # of the resamples, as in turnwise compare
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class _Training:
    """A training as the models of its runs tell of it; ``name`` is that of its folder."""

    name: str
    feedback: str
    value: str
    turns: int
    base_model: str
    data: str

    @property
    def kind(self) -> str:
        """What R calls it."""
        parts = {
            FeedbackKind.RANDOM.value: ["random feedback"],
            FeedbackKind.NONE.value: ["w/o execution feedback"],
            DEFAULT_FEEDBACK: [],
        }.get(self.feedback, [f"{self.feedback} feedback"])
        parts = [] if self.turns == 1 else parts
        parts += {"token": ["token-level value"], "none": ["no value"]}.get(self.value, [])
        return ", ".join(["single-turn RL" if self.turns == 1 else "RLEF", *parts])


def ablation_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return a row for each training, task and metric, in the order of the paper, and the published rows apart."""
    trained = those(scored, lambda score: _training_of(score) is not None, _KIND, "a model that turnwise rlef trained")
    groups: dict[tuple[_Training, str, str], list[ScoredTask]] = {}
    for score in trained:
        training = _training_of(score)
        if training is not None:
            groups.setdefault((training, score.outcomes.record.task, feedback_of(score)), []).append(score)
    feedback = known_first(_FEEDBACK, (training.feedback for training, _, _ in groups))
    values = known_first(_VALUES, (training.value for training, _, _ in groups))
    order = sorted(
        groups,
        key=lambda key: (-key[0].turns, values.index(key[0].value), feedback.index(key[0].feedback), key[0].name),
    )
    shown: dict[int, ScoredTask] = {}
    rows: list[tuple[str, ...]] = []
    for training, task, feedback_told in order:
        after = _last(groups[training, task, feedback_told])
        before = _before(after, training, scored)
        shown |= {id(score): score for score in (before, after) if score is not None}
        start = (
            training.kind,
            training.name,
            training.feedback,
            training.value,
            str(training.turns),
            task,
            feedback_told,
        )
        rows += [(*start, *cells) for cells in _cells(before, after, over)]
    headers = ("training", "folder", "feedback", "value", "turns", "task", "told", "metric")
    counts = ("before", "after", "gain", "iterations", "problems", "samples")
    title = (
        "Trainings by rlef, percent solved before the first iteration and after the last; gain with its 95 % interval "
        f"over {_over(over)}; told is the feedback of the evaluation"
    )
    return [
        Table((*headers, *counts), tuple(rows), len(headers), title, tuple(notes([*shown.values()]))),
        *published_ablation(),
    ]


def _training_of(score: ScoredTask) -> _Training | None:
    """Return the training that made the model of a run, None where rlef did not."""
    model = score.run.record.model
    turns = model.get("training_turns", "")
    if model.get("trained_by") != "rlef" or not (turns.isascii() and turns.isdecimal() and len(turns) < 10):
        return None
    texts = (model.get(name, "") for name in ("training_feedback", "training_value"))
    feedback, value = (printable(text, limit=_LONGEST) for text in texts)
    folder = printable(PurePath(model.get("model", "")).parent.name, limit=_LONGEST)
    return _Training(folder, feedback, value, int(turns), model.get("base_model", ""), model.get("training_data", ""))


def _iteration_of(score: ScoredTask) -> int:
    text = score.run.record.model.get("iteration", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


def _last(scores: Sequence[ScoredTask]) -> ScoredTask:
    """Return the run of the last iteration; raises TurnwiseError where two are."""
    last = max(map(_iteration_of, scores))
    return _only([score for score in scores if _iteration_of(score) == last], f"of iteration {last}")


def _before(after: ScoredTask, training: _Training, scored: Sequence[ScoredTask]) -> ScoredTask | None:
    """Return the run of the model that training began with: that beside it, else one by its name; None for none."""
    untrained = [
        score
        for score in scored
        if _iteration_of(score) <= 0
        and "training_turns" not in score.run.record.model
        and score.outcomes.record.task == after.outcomes.record.task
        and score.outcomes.record.max_turns == after.outcomes.record.max_turns
        and feedback_of(score) == feedback_of(after)
    ]
    beside = [
        score for score in untrained if score.run.path.parent == after.run.path.parent and _iteration_of(score) == 0
    ]
    named = [score for score in untrained if score.run.record.model.get("model", "") == training.base_model]
    return _only(beside or named, "before the training") if beside or named else None


def _only(scores: Sequence[ScoredTask], what: str) -> ScoredTask:
    if len(scores) > 1:
        raise TurnwiseError(
            f"{str(scores[0].run.path)!r} and {str(scores[1].run.path)!r} are both runs {what}, of one training and "
            f"{scores[0].outcomes.record.task}: name one of them."
        )
    return scores[0]


def _cells(before: ScoredTask | None, after: ScoredTask, over: Shown | None) -> Iterator[tuple[str, ...]]:
    """Yield for each metric its name, its cells and what they rest on."""
    turns = after.outcomes.record.max_turns
    usual = str(NAtK(1, turns)) if turns > 1 else "pass@1"
    for metric in dict.fromkeys((usual, _PAPERS)):
        estimate = find_estimate(after, metric)
        if estimate is None:
            continue
        iteration = _iteration_of(after)
        yield (
            "1@1" if metric == "pass@1" else metric,
            "" if before is None else percent(find_estimate(before, metric), over) + odd_mark(before),
            percent(estimate, over) + odd_mark(after),
            "" if before is None else _gain(before, after, metric, over),
            str(iteration) if iteration >= 0 else "",
            str(estimate.asked) if estimate.counted == estimate.asked else f"{estimate.counted} of {estimate.asked}",
            str(after.run.record.settings.samples_per_problem),
        )


def _over(over: Shown | None) -> Over:
    return over if isinstance(over, Over) else Over.PROBLEMS


def _gain(before: ScoredTask, after: ScoredTask, metric: str, over: Shown | None) -> str:
    """Return the difference and its interval; "" where no problem is known of both."""
    generator = np.random.default_rng(_SEED)
    metrics = (*before.n_at_k, *after.n_at_k)
    differences = compare_tasks(before.outcomes, after.outcomes, over=_over(over), generator=generator, n_at_k=metrics)
    difference = next((difference for difference in differences if difference.metric == metric), None)
    if difference is None:
        return ""
    reach = difference.interval
    return f"{100 * difference.value:+.1f}" + (
        f" [{100 * reach.lower:+.1f}, {100 * reach.upper:+.1f}]" if reach else ""
    )
