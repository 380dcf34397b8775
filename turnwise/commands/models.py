"""The model back ends by name: ``--model`` and ``--model_args`` as text to a Model, checked before any work."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from turnwise.commands.machine import parse_pairs
from turnwise.commands.settings import validated
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.replay import ReplaySampler
from turnwise.runners.sampler import Model
from turnwise.runners.settings import RunSettings
from turnwise.tasks.catalog import Task

_HOSTED = "https://api.openai.com/v1"
_CHECK_SECONDS = 20.0


class _OpenAIArguments(BaseModel):
    """lm-eval's names where it has them."""

    model_config = ConfigDict(extra="forbid")
    model: str = ""
    base_url: str = ""
    num_concurrent: Annotated[int, Field(ge=0)] = 0
    max_retries: Annotated[int, Field(ge=0)] = 5
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1800.0
    outage: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    logprobs: bool = False
    system_role: bool = True


Opener = Callable[[str, RunSettings, Sequence[Task], Mapping[str, str]], Model]


def open_model(
    name: str, arguments: str, *, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]
) -> Model:
    """Return the model; raises TurnwiseError for arguments that cannot be, or a server that does not serve it."""
    return MODELS[check_model(name)](arguments, settings, tasks, environ)


def check_model(name: str) -> str:
    """Return ``name`` if it is a model back end, else raise TurnwiseError."""
    if name not in MODELS:
        raise TurnwiseError(f"Unknown model {name!r}: choose one of {', '.join(MODELS)}.")
    return name


def _open_replay(arguments: str, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]) -> Model:  # noqa: ARG001 - one signature for all
    pairs = parse_pairs(arguments, "--model_args")
    path = pairs.pop("path", "")
    if not path or set(pairs) - {"model", "method"}:
        raise TurnwiseError(
            f"--model replay needs -a path=FILE (and takes model=GLOB, method=GLOB), not {arguments!r}."
        )
    return ReplaySampler(Path(path), benchmarks=[task.benchmark for task in tasks], **pairs)


def _open_openai(arguments: str, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]) -> Model:  # noqa: ARG001 - one signature for all
    try:
        from turnwise.runners.openai_model import OpenAIModel
        from turnwise.runners.openai_server import Server, served_models
    except ImportError:
        raise MissingExtraError("--model openai", "openai", "openai") from None
    given = validated(_OpenAIArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    key = environ.get("OPENAI_API_KEY", "")
    base_url = given.base_url or environ.get("OPENAI_BASE_URL", "") or (_HOSTED if key else "")
    if not base_url:
        raise TurnwiseError("--model openai needs -a base_url=http://HOST:PORT/v1, or OPENAI_BASE_URL.")
    server = Server(
        base_url.rstrip("/").removesuffix("/chat/completions"),
        given.model,
        key or "EMPTY",
        concurrency=given.num_concurrent,
        max_retries=given.max_retries,
        timeout=given.timeout,
        outage=given.outage,
        logprobs=given.logprobs,
        system_role=given.system_role,
    )
    return OpenAIModel(server.with_model(served_models(server, timeout=_CHECK_SECONDS)), settings.sampling)


MODELS: dict[str, Opener] = {"replay": _open_replay, "openai": _open_openai}
