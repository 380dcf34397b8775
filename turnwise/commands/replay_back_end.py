"""``--model replay``: answers recorded before."""

from pathlib import Path

from turnwise.commands.back_end import BackEnd, Wanted
from turnwise.errors import TurnwiseError
from turnwise.runners.preflight import CharacterCounter, TokenCounter
from turnwise.runners.replay import ReplaySampler
from turnwise.runners.sampler import Model


def _open(wanted: Wanted) -> Model:
    pairs = wanted.pairs
    path = pairs.pop("path", "")
    if not path or set(pairs) - {"model", "method"}:
        raise TurnwiseError(
            f"--model replay needs -a path=FILE (and takes model=GLOB, method=GLOB), not {wanted.arguments!r}."
        )
    return ReplaySampler(Path(path), benchmarks=[task.benchmark for task in wanted.tasks], **pairs)


def _count(_: Wanted) -> TokenCounter:
    return CharacterCounter()


REPLAY = BackEnd(_open, _count)
