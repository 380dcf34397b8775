"""``--model openai``: any server that speaks OpenAI's chat completions."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from turnwise.commands.back_end import Arguments, BackEnd, Positive, Wanted
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.descriptions import describe_openai
from turnwise.runners.preflight import TokenCounter
from turnwise.runners.sampler import Model

if TYPE_CHECKING:
    from turnwise.runners.openai_server import Server

_HOSTED = "https://api.openai.com/v1"
_CHECK_SECONDS = 20.0


class _OpenAIArguments(Arguments):
    base_url: str = ""
    num_concurrent: Annotated[int, Field(ge=0)] = 0
    max_retries: Annotated[int, Field(ge=0)] = 5
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1800.0
    outage: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    first_turns: Positive = 1


def served_name(wanted: Wanted) -> str:
    """Return the model that a server of the job's own is to serve; raises TurnwiseError if none is named."""
    given = wanted.parsed(_OpenAIArguments)
    if given.base_url or not given.model:
        raise TurnwiseError("The profile has a server for each job: give -M openai -a model=NAME, and no base_url.")
    return given.model


def describe_served(wanted: Wanted) -> dict[str, str]:
    """Return what run.json says of a model that a server of the job's own serves."""
    return _describe(wanted, served_name(wanted))


def _describe_known(wanted: Wanted) -> dict[str, str]:
    name = wanted.parsed(_OpenAIArguments).model or wanted.recorded.get("model", "")
    if not name:
        raise TurnwiseError("--model openai is not asked here, so name the model: -a model=NAME.")
    return _describe(wanted, name)


def _describe(wanted: Wanted, name: str) -> dict[str, str]:
    given = wanted.parsed(_OpenAIArguments)
    return describe_openai(name, system_role=given.system_role, first_turns=given.first_turns)


def _open(wanted: Wanted) -> Model:
    server = _find_server(wanted)
    from turnwise.runners.openai_model import OpenAIModel

    settings = wanted.settings
    if server.first_turns > 1 and settings.sampling.temperature == 0:
        raise TurnwiseError(
            f"-a first_turns={server.first_turns} asks for replies that differ, and temperature=0 gives the same one: "
            "leave out first_turns, or sample."
        )
    return OpenAIModel(server, settings.sampling, samples=settings.samples_per_problem, run_seed=settings.seed)


def _find_server(wanted: Wanted) -> "Server":
    """Return the server and its model; raises TurnwiseError if it does not answer or has no such model."""
    try:
        from turnwise.runners.openai_server import Server, served_models
    except ImportError:
        raise MissingExtraError("--model openai", "openai", "openai") from None
    given = wanted.parsed(_OpenAIArguments)
    key = wanted.environ.get("OPENAI_API_KEY", "")
    base_url = given.base_url or wanted.environ.get("OPENAI_BASE_URL", "") or (_HOSTED if key else "")
    if not base_url:
        raise TurnwiseError("--model openai needs -a base_url=http://HOST:PORT/v1, or OPENAI_BASE_URL.")
    if not base_url.startswith(("http://", "https://")):
        raise TurnwiseError(f"base_url is {base_url!r}: write it with its protocol, such as http://localhost:8000/v1.")
    server = Server(
        base_url.rstrip("/").removesuffix("/chat/completions"),
        given.model,
        key or "EMPTY",
        concurrency=given.num_concurrent,
        max_retries=given.max_retries,
        timeout=given.timeout,
        outage=given.outage,
        logprobs=given.logprobs,
        first_turns=given.first_turns,
        system_role=given.system_role,
    )
    return server.with_model(served_models(server, timeout=_CHECK_SECONDS))


def _count(wanted: Wanted) -> TokenCounter:
    from turnwise.runners.counters import ServerCounter

    server = _find_server(wanted)
    return ServerCounter(server.base_url, server.model, api_key=server.api_key)


OPENAI = BackEnd(_open, _count, cores=1, describe=_describe_known)
