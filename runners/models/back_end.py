"""What a back end is: how a model is opened, and its arguments (``--model_args``), parsed before any work.

Arguments stand in one option, ``a=1,b=2``, and are checked as a model of pydantic's. Engines in this process share
theirs, and counting by their templates.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.records.problem import Problem
from turnwise.records.settings import RunSettings
from turnwise.records.training import describe_training
from turnwise.runners.models.chat import TemplateCounter, TokenCounter
from turnwise.runners.models.sampler import Model
from turnwise.tasks.catalog import Task
from turnwise.texts import shown

Parsed = TypeVar("Parsed", bound=BaseModel)
Positive = Annotated[int, Field(ge=1)]
UNKNOWN_LENGTH = (
    "--model {back_end} is not loaded here, so give its context in --model_args ({name}=N): it stands in run.json."
)


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
    ``samples_by`` are the fields of Sampling that it can follow, None for all of them.
    """

    open: Callable[[Wanted], Model]
    count: Callable[[Wanted], TokenCounter]
    cores: int = 0
    in_process: bool = False
    describe: Callable[[Wanted], dict[str, str]] | None = None
    reply_limit: Callable[[Wanted], int | None] = _asked_limit
    samples_by: frozenset[str] | None = None


def parse_pairs(text: str, option: str) -> dict[str, str]:
    """Return {"a": "1"} from ``a=1,b=2``; a value may be a JSON object or list, commas included.

    Raises TurnwiseError for a part without '='.
    """
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in _split_pairs(text))):
        name, sign, value = part.partition("=")
        if not sign:
            raise TurnwiseError(f"{option} has the part {part!r}: write name=value, separated by commas.")
        pairs[name.strip()] = value.strip()
    return pairs


def _split_pairs(text: str) -> Iterator[str]:
    """Yield the parts between commas, but for those inside a JSON value."""
    start = 0
    while start <= len(text):
        end = text.find(",", start) % (len(text) + 1)
        sign = text.find("=", start, end)
        begin = sign + 1 + len(text[sign + 1 :]) - len(text[sign + 1 :].lstrip())
        if sign >= 0 and text[begin : begin + 1] in ("{", "["):
            with suppress(ValueError, RecursionError):
                after = json.JSONDecoder().raw_decode(text, begin)[1]
                if not text[after:].strip() or text[after:].lstrip().startswith(","):
                    end = text.find(",", after) % (len(text) + 1)
        yield text[start:end]
        start = end + 1


def validated(model: type[Parsed], data: Mapping[str, object], option: str) -> Parsed:
    """Return ``data`` as ``model``; raises TurnwiseError naming the option, the key and its value."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        mistake = first_mistake(error)
        name = mistake.place[0]
        if mistake.kind == "extra_forbidden":
            raise TurnwiseError(
                f"{option} {shown(name)} is unknown: the keys are {', '.join(model.model_fields)}."
            ) from None
        reason = mistake.reason.lower().removeprefix("input ").replace("should be", "it has to be")
        raise TurnwiseError(f"{option} {name} is {shown(data[str(name)])}: {reason}.") from None


class LocalArguments(Arguments):
    """What every engine in this process takes."""

    pretrained: str = ""
    tokenizer: str = ""
    revision: str = ""
    dtype: str = "auto"
    trust_remote_code: bool = False

    def name(self, back_end: str) -> str:
        """Return the model's name or folder; raises TurnwiseError if none is given."""
        if not (self.model or self.pretrained):
            raise TurnwiseError(f"--model {back_end} needs -a model=NAME_OR_FOLDER.")
        return self.model or self.pretrained


def count_by_template(given: LocalArguments, name: str, max_length: int | None) -> TokenCounter:
    """Return what counts with the tokenizer of the model ``name``.

    Raises MissingExtraError without transformers, TurnwiseError if what the model says of its training cannot be read.
    """
    describe_training(name)
    try:
        return TemplateCounter(name, tokenizer=given.tokenizer, revision=given.revision, max_length=max_length)
    except ImportError:
        raise MissingExtraError("Counting tokens", "transformers", "hf") from None
