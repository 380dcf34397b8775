"""Episodes: finished dialogues with what they earned, and the rows of token ids that are learnt of them.

A row is what the model read and said, token by token, as it was sampled: nothing is encoded again. Calls whose prompt
begins with the prompt and the reply of the call before are one row; where the chat template edits what was said (it
leaves out thinking, say), each call is a row of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from turnwise.records.report import Verdict
from turnwise.records.trajectory import Call, Trajectory

PROMPT = -1  # the call of a token that the model has not said


@dataclass(frozen=True, slots=True)
class Episode:
    """A dialogue that has ended, with the verdict on its last program on all tests and the reward of each call.

    ``rewards`` is None where the machine or a request spoiled it; ``verdict`` is None then, or where nothing could be
    judged. ``drifted`` counts the later calls whose prompt would have had other ids, had it been encoded again, and
    ``later`` all later calls of which that is known. Replies have ``token_ids``, ``prompt_token_ids`` and ``logprobs``.
    """

    trajectory: Trajectory
    verdict: Verdict | None
    rewards: tuple[float, ...] | None
    drifted: int = 0
    later: int = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of all turns, in order: one for each reward."""
        return tuple(call for turn in self.trajectory.turns for call in turn.calls)

    @property
    def solved(self) -> bool:
        """Whether its last program passed all tests."""
        return self.verdict is Verdict.PASSED


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence to learn: ``calls`` has for each token the number of the call that said it, else PROMPT.

    ``input_ids`` int[tokens], ``calls`` int[tokens], ``logprobs`` float[tokens] (natural, of the policy that sampled
    it; 0 where ``calls`` is PROMPT). The first token of a row is never one that the model said.
    """

    input_ids: tuple[int, ...]
    calls: tuple[int, ...]
    logprobs: tuple[float, ...]


def rows_of(episode: Episode) -> list[Row]:
    """Return the rows of an episode; raises ValueError for a reply whose ids or log-probabilities are not there."""
    rows: list[tuple[list[int], list[int], list[float]]] = []
    for number, call in enumerate(episode.calls):
        prompt, reply, logprobs = _ids_of(call)
        if not rows or not _continues(prompt, rows[-1][0]):
            rows.append(([], [], []))
        ids, calls, chances = rows[-1]
        added = prompt[len(ids) :]
        ids += [*added, *reply]
        calls += [*[PROMPT] * len(added), *[number] * len(reply)]
        chances += [*[0.0] * len(added), *logprobs]
    return [Row(tuple(ids), tuple(calls), tuple(chances)) for ids, calls, chances in rows]


def _continues(prompt: Sequence[int], before: Sequence[int]) -> bool:
    return len(prompt) >= len(before) and list(prompt[: len(before)]) == list(before)


def _ids_of(call: Call) -> tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...]]:
    reply = call.reply
    if reply.prompt_token_ids is None or reply.token_ids is None or reply.logprobs is None:
        raise ValueError("a reply lacks its token ids or log-probabilities")
    if len(reply.token_ids) != len(reply.logprobs):
        raise ValueError(f"a reply has {len(reply.token_ids)} tokens and {len(reply.logprobs)} log-probabilities")
    return reply.prompt_token_ids, reply.token_ids, reply.logprobs
