"""The pass n@k a run is asked for, and whether its samples can support them.

>>> parse_n_at_k("10@100").dialogues(turns=3)
33

k counts replies of the model (arXiv 2410.02089): with a budget of ``turns`` turns, k replies make
k // turns dialogues, each with one candidate. Fewer replies than turns are one dialogue of k turns.
Estimating is the leaderboard's business.
"""

import re
from dataclasses import dataclass

from turnwise.errors import TurnwiseError


@dataclass(frozen=True, slots=True)
class NAtK:
    """n submissions chosen among the dialogues that k replies make."""

    n: int
    k: int

    def __str__(self) -> str:
        return f"{self.n}@{self.k}"

    def budget(self, turns: int) -> int:
        """Return how many turns each dialogue may take where at most ``turns`` were asked."""
        return min(self.k, turns)

    def dialogues(self, *, turns: int) -> int:
        """Return how many dialogues k replies make."""
        return self.k // self.budget(turns)

    def is_supported(self, *, samples: int, turns: int) -> bool:
        """Return whether ``samples`` dialogues of at most ``turns`` turns are enough."""
        return self.n <= self.dialogues(turns=turns) <= samples


def parse_n_at_k(text: str) -> NAtK:
    """Return the n@k that ``text`` names; raises TurnwiseError for anything but two whole numbers >= 1."""
    match = re.fullmatch(r"([1-9]\d{0,5})@([1-9]\d{0,5})", text.strip())
    if match is None:
        raise TurnwiseError(f"n_at_k {text!r} is not written n@k, such as 1@3 or 10@100.")
    return NAtK(int(match[1]), int(match[2]))


def check_support(metric: NAtK, *, samples: int, turns: int) -> NAtK:
    """Return ``metric`` if ``samples`` dialogues of at most ``turns`` turns support it, else raise TurnwiseError."""
    drawn, budget = metric.dialogues(turns=turns), metric.budget(turns)
    each = "1 turn" if budget == 1 else f"{budget} turns"
    if drawn > samples:
        raise TurnwiseError(
            f"n_at_k {metric} draws {drawn} dialogues of {each} per problem, but "
            f"samples_per_problem is {samples}: give at least {drawn}, or another n_at_k."
        )
    if metric.n > drawn:
        raise TurnwiseError(
            f"n_at_k {metric} submits {metric.n} of the {drawn} dialogues that {metric.k} replies of "
            f"{each} make: give n of at most {drawn}, or more replies."
        )
    return metric
