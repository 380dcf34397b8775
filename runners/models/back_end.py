"""What a back end is: how a model is opened, and its arguments (``--model_args``), parsed before any work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from turnwise.records.problem import Problem
from turnwise.records.settings import RunSettings
from turnwise.runners.models.arguments import parse_pairs, validated
from turnwise.runners.models.counters import TokenCounter
from turnwise.runners.models.sampler import Model
from turnwise.tasks.catalog import Task

Parsed = TypeVar("Parsed", bound=BaseModel)
Positive = Annotated[int, Field(ge=1)]


class Arguments(BaseModel):
    """What every back end that is sampled from takes; lm-eval's names where it has them."""

    model_config = ConfigDict(extra="forbid")
    model: str = ""
    logprobs: bool = False
    system_role: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user wants of a back end: ``arguments`` as typed, and, of a model to open, what it is asked with.

    ``problems`` are all of the tasks' data, whether they are asked or not.

    ``recorded`` is what a run that was begun says of its model: it stands for what only a loaded one tells.
    ``base_url`` is the address of a server that was started for this job.
    """

    arguments: str
    environ: Mapping[str, str] = field(default_factory=dict)
    settings: RunSettings = field(default_factory=RunSettings)
    tasks: Sequence[Task] = ()
    problems: Sequence[Problem] = ()
    recorded: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    @property
    def pairs(self) -> dict[str, str]:
        """The arguments by name; raises TurnwiseError for a part without '='."""
        pairs = parse_pairs(self.arguments, "--model_args")
        return {**pairs, "base_url": self.base_url} if self.base_url else pairs

    def parsed(self, kind: type[Parsed]) -> Parsed:
        """Return the arguments as ``kind``; raises TurnwiseError naming the first that cannot be."""
        return validated(kind, self.pairs, "--model_args")


def _asked_limit(wanted: Wanted) -> int | None:
    return wanted.settings.sampling.max_tokens


@dataclass(frozen=True, slots=True)
class BackEnd:
    """How a model is opened, and how many of this machine's cores it needs for itself.

    ``in_process`` engines start threads and load an accelerator: judge workers have to be there before.
    ``reply_limit`` is how many tokens a reply may have, None for no limit.
    ``describe`` says what run.json says of one that is not open; raises TurnwiseError where only the model could tell.
    """

    open: Callable[[Wanted], Model]
    count: Callable[[Wanted], TokenCounter]
    cores: int = 0
    in_process: bool = False
    describe: Callable[[Wanted], dict[str, str]] | None = None
    reply_limit: Callable[[Wanted], int | None] = _asked_limit
