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

_SHORT = 32  # tokens of rows that cost less together, however padded, than apart


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
class _Row:
    """A row: its ids, long[tokens], the places of those sampled and the numbers of their calls, long[sampled].

    ``first_token`` is the number of the first sampled one.
    """

    ids: torch.Tensor
    sampled: torch.Tensor
    calls: torch.Tensor
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
    rows: tuple[tuple[_Row, ...], ...]

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
        calls: list[torch.Tensor] = []
        behaviour: list[torch.Tensor] = []
        tokens = 0
        tensors: list[tuple[_Row, ...]] = []
        for dialogue, (rows, places, earned, learnt) in enumerate(kept):
            rewards[dialogue, : len(places)] = torch.tensor(earned)
            has_call[dialogue, : len(places)] = True
            learns[dialogue, : len(places)] = torch.tensor(learnt)
            own = []
            for row in rows:
                sampled = [place for place, call in enumerate(row.calls) if call != PROMPT]
                if not sampled:
                    continue
                calls.append(torch.tensor([dialogue * most + places[row.calls[place]] for place in sampled]))
                behaviour.append(torch.tensor([row.logprobs[place] for place in sampled]))
                own.append(_Row(torch.tensor(row.input_ids), torch.tensor(sampled), calls[-1], tokens))
                tokens += len(sampled)
            tensors.append(tuple(own))
        none = torch.zeros(0)
        return cls(
            rewards, has_call, learns, torch.cat([none.long(), *calls]), torch.cat([none, *behaviour]), tuple(tensors)
        )

    def parts(self, dialogues: Sequence[int], *, tokens_at_a_time: int) -> list[Part]:
        """Return the rows of some dialogues in micro-batches of at most so many tokens, padded, or of a single row.

        Rows of like length come together, the longest first, so that memory runs out at once; none but short ones is
        padded to twice its tokens.
        """
        rows = [row for dialogue in dialogues for row in self.rows[dialogue]]
        rows.sort(key=lambda row: (-len(row.ids), row.first_token))
        parts, begin = [], 0
        while begin < len(rows):
            longest = len(rows[begin].ids)
            fitting = rows[begin : begin + max(1, tokens_at_a_time // longest)]
            alike = [row for row in fitting if 2 * len(row.ids) > longest or longest <= _SHORT]
            parts.append(_padded(alike))
            begin += len(alike)
        return parts


def minibatches(dialogues: int, *, count: int, seed: int, iteration: int) -> list[list[int]]:
    """Return ``count`` lists of about as many of the numbers below ``dialogues``, in an order of seed and iteration."""
    order = list(range(dialogues))
    random.Random(f"{seed} {iteration}").shuffle(order)
    return [order[dialogues * part // count : dialogues * (part + 1) // count] for part in range(count)]


def _sampled_calls(rows: Sequence[Row]) -> list[int]:
    return list(dict.fromkeys(call for row in rows for call in row.calls if call != PROMPT))


def _padded(rows: Sequence[_Row]) -> Part:
    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    attention = torch.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = row.ids
        attention[at, : len(row.ids)] = 1
    places = torch.cat([at * longest + row.sampled - 1 for at, row in enumerate(rows)])
    calls = torch.cat([row.calls for row in rows])
    begins = torch.ones_like(calls, dtype=torch.bool)
    begins[1:] = calls[1:] != calls[:-1]
    return Part(
        ids,
        attention,
        places,
        tokens=torch.cat([row.first_token + torch.arange(len(row.sampled)) for row in rows]),
        chosen=torch.cat([row.ids[row.sampled] for row in rows]),
        call_places=places[begins],
        calls=calls[begins],
    )
