"""What an iteration's dialogues showed, for its line of iterations.jsonl: measures of both papers, and no ML.

Counting is that of tasks/behaviour.py, as in ``turnwise score --table behaviour``. What takes long, comparing programs
and parsing replies, is done for some of the dialogues, drawn by the seed, so that an iteration of 1,024 takes less
than a second.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.rlef import RewardSettings, RolloutFigures, TurnFigures
from turnwise.records.trajectory import Reply
from turnwise.tasks.behaviour import BehaviourCounter, TurnBehaviour, bounded_ratio, mean_of
from turnwise.training.episodes import Episode, rows_of
from turnwise.training.rewards import is_invalid

MOST_COMPARED = 48  # dialogues whose programs are compared and whose replies are parsed
_MOST_STEPS = 200_000  # of comparing two programs: ten times what programs of 80 lines take, and 10 ms
NO_REPLY, NOT_JUDGED = "no_reply", "not_judged"  # why a dialogue is dropped, besides the ends that are missing


def rollout_figures(
    episodes: Sequence[Episode],
    *,
    rewards: RewardSettings,
    guessed: frozenset[str] = frozenset(),
    seed: int = 0,
) -> RolloutFigures:
    """Return what the dialogues of an iteration showed; ``guessed`` are the ids of problems whose kind is guessed.

    ``seed`` draws the dialogues that are compared. Raises ValueError for a reply without token ids.
    """
    kept = [episode for episode in episodes if episode.rewards is not None]
    replies = [call.reply for episode in kept for call in episode.calls]
    rows = [row for episode in kept for row in rows_of(episode)]
    compared = frozenset(random.Random(seed).sample(range(len(kept)), min(MOST_COMPARED, len(kept))))
    seen = _behaviour_of(kept, compared)
    invalid = [[is_invalid(turn, rewards) for turn in episode.trajectory.turns] for episode in kept]
    return RolloutFigures(
        dialogues=len(episodes),
        dropped=dict(Counter(_reason(episode) for episode in episodes if episode.rewards is None)),
        solved=mean_of(episode.solved for episode in kept),
        invalid=mean_of(is_so for turns in invalid for is_so in turns),
        public_only=mean_of(_is_public_only(episode) for episode in kept),
        guessed=mean_of(episode.trajectory.problem in guessed for episode in kept),
        mean_reward=mean_of(sum(episode.rewards or ()) for episode in kept),
        mean_turns=mean_of(len(episode.trajectory.turns) for episode in kept),
        reply_tokens=mean_of(map(_tokens, replies)),
        non_code=mean_of(value for turn in seen for value in turn.non_code),
        cut=mean_of(reply.is_cut for reply in replies),
        drift=_drift(kept),
        rows=len(rows),
        tokens=sum(len(row.input_ids) for row in rows),
        sampled_tokens=sum(map(_tokens, replies)),
        turns=tuple(
            _figures(turn, sum(turns[number] for turns in invalid if len(turns) > number))
            for number, turn in enumerate(seen)
        ),
        compared=len(compared),
    )


def _behaviour_of(episodes: Sequence[Episode], compared: frozenset[int]) -> Sequence[TurnBehaviour]:
    """Return what was seen at each turn; the programs of the episodes with the numbers ``compared`` are compared."""
    counter = BehaviourCounter(partial(bounded_ratio, most=_MOST_STEPS))
    for number, episode in enumerate(episodes):
        counter.add(episode.trajectory, _judgement(episode), compares_texts=number in compared)
    return counter.behaviour.turns


def _judgement(episode: Episode) -> Mapping[Place, Judgement]:
    """Return the verdict on the last program by its place; those before it have been judged by the public tests."""
    place = next(reversed(places_of(episode.trajectory)), None)
    if place is None or episode.verdict is None:
        return {}
    public_passed = episode.solved or episode.trajectory.turns[-1].public_report.public_passed
    return {place: Judgement(*place, episode.verdict, public_passed, 0, 0.0, tier="", key="")}


def _figures(turn: TurnBehaviour, invalid: int) -> TurnFigures:
    return TurnFigures(
        dialogues=turn.dialogues,
        solved=turn.solved,
        invalid=invalid,
        verdicts={verdict.value: count for verdict, count in sorted(turn.verdicts.items())},
        repairable=turn.repairable,
        repaired=turn.repairs,
        similarity=mean_of(turn.similarities),
    )


def _reason(episode: Episode) -> str:
    """Return why an episode has no reward."""
    if episode.trajectory.is_missing:
        return episode.trajectory.end.value
    if not episode.trajectory.turns:
        return NO_REPLY
    return NOT_JUDGED if episode.verdict is None else episode.verdict.value


def _is_public_only(episode: Episode) -> bool:
    last = episode.trajectory.turns[-1]
    return last.program is not None and last.public_report.public_passed and not episode.solved


def _tokens(reply: Reply) -> int:
    return len(reply.token_ids or ())


def _drift(episodes: Sequence[Episode]) -> float | None:
    later = sum(episode.later for episode in episodes)
    return sum(episode.drifted for episode in episodes) / later if later else None
