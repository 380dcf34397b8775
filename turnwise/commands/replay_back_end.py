"""``--model replay``: answers recorded before."""

import sys
from pathlib import Path

from turnwise.commands.back_end import BackEnd, Wanted
from turnwise.errors import TurnwiseError
from turnwise.runners.preflight import CharacterCounter, TokenCounter
from turnwise.runners.replay import ReplaySampler
from turnwise.runners.sampler import Model
from turnwise.texts import shown


def _open(wanted: Wanted) -> Model:
    pairs = wanted.pairs
    path = pairs.pop("path", "")
    if not path or set(pairs) - {"model", "method"}:
        raise TurnwiseError(
            f"--model replay needs -a path=FILE (and takes model=GLOB, method=GLOB), not {wanted.arguments!r}."
        )
    benchmarks = [task.benchmark for task in wanted.tasks]
    sampler = ReplaySampler(Path(path), benchmarks=benchmarks, problems=wanted.problems, **pairs)
    for note in (*sampler.notes, *_notes_on_samples(Path(path), sampler, wanted.settings.samples_per_problem)):
        print(f"turnwise: {note}", file=sys.stderr, flush=True)
    return sampler


def _notes_on_samples(path: Path, sampler: ReplaySampler, asked: int) -> list[str]:
    most = sampler.most_samples
    if most <= asked:
        return []
    return [
        f"{shown(path.name, limit=100)} holds up to {most} answers to a problem, of which the first {asked} are asked: "
        f"samples_per_problem in --metadata asks for more, model=GLOB and method=GLOB in -a choose among them."
    ]


def _count(_: Wanted) -> TokenCounter:
    return CharacterCounter()


REPLAY = BackEnd(_open, _count)
