"""The rows of an iteration's episodes as tensors: what is sampled in one flat list, what a model reads padded.

    batch = Batch.of(episodes, mask_cut=False)
    for episodes in minibatches(len(batch.rewards), count=4, seed=0, iteration=1):
        for part in batch.parts(episodes, tokens_at_a_time=16_384):
            ...                                        # a micro-batch, which goes through a model at once

Every sampled token has a number, and so has every call: dialogue x C + its place, where C are the calls of the longest
dialogue. So it is all one whether a dialogue's calls are one row or several.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from turnwise.training.episodes import PROMPT, Episode, Row, rows_of


@dataclass(frozen=True, slots=True)
class Part:
    """A micro-batch of B rows, padded to L tokens behind their ends, and what is read of it.

    ``ids`` and ``attention`` long[B, L]. ``places`` long[n] are places in the flattened [B x L], of the token before
    each sampled one; ``tokens`` long[n] the numbers of those sampled; ``chosen`` long[n] their ids. ``call_places``
    long[c] are those of each call's last prompt token, ``calls`` long[c] the numbers of these calls.
    """

    ids: torch.Tensor
    attention: torch.Tensor
    places: torch.Tensor
    tokens: torch.Tensor
    chosen: torch.Tensor
    call_places: torch.Tensor
    calls: torch.Tensor

    def to(self, device: str) -> "Part":
        """Return it on a device."""
        return Part(*(getattr(self, name).to(device) for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row, the number of its dialogue, and the number of its first sampled token."""

    row: Row
    dialogue: int
    first_token: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The D dialogues of an iteration that have a reward, with N sampled tokens in order of dialogue and call.

    ``rewards`` float32[D, C]; ``has_call`` bool[D, C]: whether there is such a call; ``learns`` bool[D, C]: whether
    something is learnt of it. ``calls`` long[N] is each token's call, ``behaviour`` float32[N] its log-probability when
    it was sampled. All are on the CPU.
    """

    rewards: torch.Tensor
    has_call: torch.Tensor
    learns: torch.Tensor
    calls: torch.Tensor
    behaviour: torch.Tensor
    rows: tuple[tuple[_Placed, ...], ...]

    @classmethod
    def of(cls, episodes: Sequence[Episode], *, mask_cut: bool = False) -> "Batch":
        """Return the batch of those that have a reward; with ``mask_cut`` replies that were cut are not learnt.

        A reply without a token is no call here: what it earned, the one before it has.
        """
        kept: list[tuple[list[Row], dict[int, int], list[float], list[bool]]] = []
        for episode in episodes:
            if episode.rewards is None:
                continue
            rows = rows_of(episode)
            places = {call: place for place, call in enumerate(_sampled_calls(rows))}
            if not places:
                continue
            earned = [0.0] * len(places)
            place = 0
            for number, reward in enumerate(episode.rewards):
                place = places.get(number, place)
                earned[place] += reward
            learnt = [not (mask_cut and episode.calls[number].reply.is_cut) for number in places]
            kept.append((rows, places, earned, learnt))
        most = max((len(places) for _, places, _, _ in kept), default=0)
        rewards = torch.zeros(len(kept), most)
        has_call, learns = (
            torch.zeros(len(kept), most, dtype=torch.bool),
            torch.zeros(len(kept), most, dtype=torch.bool),
        )
        calls: list[int] = []
        behaviour: list[float] = []
        placed: list[tuple[_Placed, ...]] = []
        for dialogue, (rows, places, earned, learnt) in enumerate(kept):
            rewards[dialogue, : len(places)] = torch.tensor(earned)
            has_call[dialogue, : len(places)] = True
            learns[dialogue, : len(places)] = torch.tensor(learnt)
            own = []
            for row in rows:
                numbered = [dialogue * most + places[call] if call != PROMPT else PROMPT for call in row.calls]
                own.append(_Placed(Row(row.input_ids, tuple(numbered), row.logprobs), dialogue, len(calls)))
                for number, logprob in zip(numbered, row.logprobs, strict=True):
                    if number != PROMPT:
                        calls.append(number)
                        behaviour.append(logprob)
            placed.append(tuple(own))
        return cls(
            rewards,
            has_call,
            learns,
            torch.tensor(calls, dtype=torch.long),
            torch.tensor(behaviour, dtype=torch.float32),
            tuple(placed),
        )

    def parts(self, dialogues: Sequence[int], *, tokens_at_a_time: int) -> list[Part]:
        """Return the rows of some dialogues in micro-batches of at most so many tokens, padded, or of a single row.

        Rows of like length come together, the longest first, so that little is padded and memory runs out at once.
        """
        rows = [row for dialogue in dialogues for row in self.rows[dialogue]]
        rows.sort(key=lambda placed: (-len(placed.row.input_ids), placed.first_token))
        parts, begin = [], 0
        while begin < len(rows):
            most = max(1, tokens_at_a_time // len(rows[begin].row.input_ids))
            parts.append(_padded(rows[begin : begin + most]))
            begin += most
        return parts


def minibatches(dialogues: int, *, count: int, seed: int, iteration: int) -> list[list[int]]:
    """Return ``count`` lists of about as many of the numbers below ``dialogues``, in an order of seed and iteration."""
    order = list(range(dialogues))
    random.Random(f"{seed} {iteration}").shuffle(order)
    return [order[dialogues * part // count : dialogues * (part + 1) // count] for part in range(count)]


def _sampled_calls(rows: Sequence[Row]) -> list[int]:
    return list(dict.fromkeys(call for row in rows for call in row.calls if call != PROMPT))


def _padded(rows: Sequence[_Placed]) -> Part:
    longest = max(len(placed.row.input_ids) for placed in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    attention = torch.zeros_like(ids)
    places: list[int] = []
    tokens: list[int] = []
    chosen: list[int] = []
    call_places: list[int] = []
    calls: list[int] = []
    for at, placed in enumerate(rows):
        row, number, before = placed.row, placed.first_token, PROMPT
        ids[at, : len(row.input_ids)] = torch.tensor(row.input_ids)
        attention[at, : len(row.input_ids)] = 1
        for place, call in enumerate(row.calls):
            if call != PROMPT:
                places.append(at * longest + place - 1)
                tokens.append(number)
                chosen.append(row.input_ids[place])
                number += 1
                if call != before:
                    call_places.append(at * longest + place - 1)
                    calls.append(call)
            before = call
    return Part(
        ids, attention, *(torch.tensor(each, dtype=torch.long) for each in (places, tokens, chosen, call_places, calls))
    )
