"""Episodes: finished dialogues with what they earned, and the rows of token ids that are learnt of them.

A row is what the model read and said, token by token, as it was sampled: nothing is encoded again. Calls whose prompt
begins with the prompt and the reply of the call before are one row; where the chat template edits what was said (it
leaves out thinking, say), each call is a row of its own.

On disk an episode is a JSON object, of whoever's file: what is no episode is refused.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from turnwise.records.codec import from_json, to_json
from turnwise.records.report import Verdict
from turnwise.records.trajectory import Call, Trajectory, read_trajectory

PROMPT = -1  # the call of a token that the model has not said
Tokens = tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]
_ROUNDING = 1e-3  # what arithmetic of 16 bits may leave above a log-probability of 0


@dataclass(frozen=True, slots=True)
class Episode:
    """A dialogue that has ended, with the verdict on its last program on all tests and the reward of each call.

    ``rewards`` is None where the machine or a request spoiled it, or no call was made; ``verdict`` is None then.
    ``later`` counts the later calls whose prompt begins with the ids of the call before and of its reply, of those that
    were looked at; ``drifted`` of them would have had other ids, had the history been encoded again. Replies have
    ``token_ids``, ``prompt_token_ids`` and ``logprobs``.
    """

    trajectory: Trajectory
    verdict: Verdict | None
    rewards: tuple[float, ...] | None
    drifted: int = 0
    later: int = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of all turns, in order: one for each reward."""
        return calls_of(self.trajectory)

    @property
    def solved(self) -> bool:
        """Whether its last program passed all tests."""
        return self.verdict is Verdict.PASSED

    @property
    def is_spoiled(self) -> bool:
        """Whether the machine or a request took its reward: another attempt may give it one."""
        return self.rewards is None and (self.trajectory.is_missing or bool(self.trajectory.turns))


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence to learn: ``calls`` has for each token the number of the call that said it, else PROMPT.

    ``input_ids`` int[tokens], ``calls`` int[tokens], ``logprobs`` float[tokens] (natural, of the policy that sampled
    it; 0 where ``calls`` is PROMPT). The first token of a row is never one that the model said. A reply without a token
    is in no row.
    """

    input_ids: tuple[int, ...]
    calls: tuple[int, ...]
    logprobs: tuple[float, ...]


def calls_of(trajectory: Trajectory) -> tuple[Call, ...]:
    """Return the calls of all turns, in order."""
    return tuple(call for turn in trajectory.turns for call in turn.calls)


def rows_of(episode: Episode) -> list[Row]:
    """Return the rows of an episode; raises ValueError as ``tokens_of`` does."""
    rows: list[tuple[list[int], list[int], list[float]]] = []
    for number, (prompt, reply, logprobs) in enumerate(tokens_of(episode.trajectory)):
        if not rows or not begins_with(prompt, rows[-1][0]):
            rows.append(([], [], []))
        ids, calls, chances = rows[-1]
        added = prompt[len(ids) :]
        ids += [*added, *reply]
        calls += [*[PROMPT] * len(added), *[number] * len(reply)]
        chances += [*[0.0] * len(added), *logprobs]
    return [Row(tuple(ids), tuple(calls), tuple(chances)) for ids, calls, chances in rows]


def begins_with(prompt: Sequence[int], before: Sequence[int]) -> bool:
    """Return whether the ids of ``prompt`` begin with those ``before``."""
    return len(prompt) >= len(before) and list(prompt[: len(before)]) == list(before)


def tokens_of(trajectory: Trajectory) -> list[Tokens]:
    """Return the ids of each call's prompt, those of its reply, and as many log-probabilities, none of them above 0.

    Raises ValueError, naming the dialogue, where one of them is not there or no such thing.
    """
    tokens = []
    for number, call in enumerate(calls_of(trajectory), 1):
        prompt, reply, logprobs = call.reply.prompt_token_ids, call.reply.token_ids, call.reply.logprobs
        where = f"reply {number} of the dialogue {trajectory.sample} about {trajectory.problem}"
        if prompt is None or reply is None or logprobs is None:
            raise ValueError(f"{where} has no token ids or no log-probabilities")
        if not prompt:
            raise ValueError(f"{where} is to a prompt without a token")
        if len(reply) != len(logprobs):
            raise ValueError(f"{where} has {len(reply)} tokens and {len(logprobs)} log-probabilities")
        if not all(-math.inf < logprob <= _ROUNDING for logprob in logprobs):
            raise ValueError(f"{where} has a log-probability that is none (not a number, infinite or above 0)")
        tokens.append((prompt, reply, logprobs))
    return tokens


def episode_json(episode: Episode) -> object:
    """Return ``episode`` as a JSON object."""
    return to_json(episode)


def read_episode(data: object) -> Episode:
    """Return the episode in a JSON object, of whoever's file; raises ValueError, saying why, for anything else."""
    episode = from_json(Episode, data)
    if isinstance(data, dict):
        read_trajectory(data["trajectory"])
    tokens_of(episode.trajectory)
    if not 0 <= episode.drifted <= episode.later < max(len(episode.calls), 1):
        raise ValueError(f"{episode.drifted} of {episode.later} later calls drifted, of {len(episode.calls)} calls")
    if episode.rewards is None:
        return episode
    if len(episode.rewards) != len(episode.calls):
        raise ValueError(f"{len(episode.calls)} calls have {len(episode.rewards)} rewards")
    if not all(map(math.isfinite, episode.rewards)):
        raise ValueError("a reward is no number")
    if episode.verdict is None or episode.trajectory.is_missing:
        raise ValueError("a dialogue that was not judged has rewards")
    return episode
