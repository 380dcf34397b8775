"""The processes that train together, as accelerate launch and torchrun tell each of them by its environment."""

import re
from collections.abc import Mapping

from turnwise.errors import TurnwiseError
from turnwise.texts import shown

_NUMBER = re.compile("[0-9]{1,6}")
_PLACES = ("LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def process_number(environ: Mapping[str, str], name: str, *, default: int = 0) -> int:
    """Return the number that the variable ``name`` holds; raises TurnwiseError for what is none."""
    text = environ.get(name) or str(default)
    if not _NUMBER.fullmatch(text):
        raise TurnwiseError(
            f"The environment variable {name} is {shown(text)}, and accelerate launch sets a whole number: unset it."
        )
    return int(text)


def rank_of(environ: Mapping[str, str]) -> int:
    """Return the number of this process; raises TurnwiseError where there are not so many."""
    rank, processes = process_number(environ, "RANK"), process_number(environ, "WORLD_SIZE", default=1)
    if rank and rank >= processes:
        raise TurnwiseError(
            f"The environment variable RANK is {rank}, and WORLD_SIZE is {processes}: unset both, or start training by "
            "accelerate launch."
        )
    return rank


def check_processes(environ: Mapping[str, str]) -> None:
    """Raise TurnwiseError where several processes are to train together, and do not know where the others are."""
    processes = process_number(environ, "WORLD_SIZE", default=1)
    if processes > 1 and (missing := [name for name in _PLACES if not environ.get(name)]):
        raise TurnwiseError(
            f"The environment variable WORLD_SIZE is {processes}, and {missing[0]} is not set: unset WORLD_SIZE, or "
            "start training by accelerate launch."
        )
