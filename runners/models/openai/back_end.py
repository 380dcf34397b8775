"""``--model openai``: any server that speaks OpenAI's chat completions."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.models.back_end import Arguments, BackEnd, Positive, Wanted
from turnwise.runners.models.chat import TokenCounter
from turnwise.runners.models.openai.server import (
    RequestFields,
    Server,
    ServerCounter,
    describe_openai,
    is_address,
    shown_url,
)
from turnwise.runners.models.sampler import Model
from turnwise.texts import shown

if TYPE_CHECKING:
    from turnwise.runners.models.openai.wire import ServedModel

_HOSTED = "https://api.openai.com/v1"
_CHECK_SECONDS = 20.0


class _OpenAIArguments(Arguments):
    base_url: str = ""
    num_concurrent: Annotated[int, Field(ge=0)] = 0
    max_retries: Annotated[int, Field(ge=0)] = 5
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1800.0
    outage: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0
    first_turns: Positive = 1
    request: str = ""


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
    fields = RequestFields.parse(given.request)
    return describe_openai(name, system_role=given.system_role, first_turns=given.first_turns, request=fields.text)


def _open(wanted: Wanted) -> Model:
    server, _ = _find_server(wanted)
    from turnwise.runners.models.openai.model import OpenAIModel

    settings = wanted.settings
    if server.first_turns > 1 and settings.sampling.temperature == 0:
        raise TurnwiseError(
            f"-a first_turns={server.first_turns} asks for replies that differ, and temperature=0 gives the same one: "
            "leave out first_turns, or sample."
        )
    return OpenAIModel(server, settings.sampling, samples=settings.samples_per_problem, run_seed=settings.seed)


def _find_server(wanted: Wanted) -> tuple[Server, "tuple[ServedModel, ...]"]:
    """Return the server with its model, and all it serves.

    Raises TurnwiseError if it does not answer or has no such model.
    """
    try:
        from turnwise.runners.models.openai.wire import served_models
    except ImportError:
        raise MissingExtraError("--model openai", "openai", "openai") from None
    given = wanted.parsed(_OpenAIArguments)
    key = wanted.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise TurnwiseError("OPENAI_API_KEY holds characters that no header can hold: set it anew.")
    base_url = given.base_url or wanted.environ.get("OPENAI_BASE_URL", "") or (_HOSTED if key else "")
    if not base_url:
        raise TurnwiseError("--model openai needs -a base_url=http://HOST:PORT/v1, or OPENAI_BASE_URL.")
    if not is_address(base_url):
        raise TurnwiseError(
            f"base_url is {shown(shown_url(base_url), limit=200)}, which is no address of a server: write it such as "
            "http://localhost:8000/v1."
        )
    if not base_url.startswith(("http://", "https://")):
        raise TurnwiseError(
            f"base_url is {shown_url(base_url)!r}: write it with its protocol, such as http://localhost:8000/v1."
        )
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
        fields=RequestFields.parse(given.request),
        more_headers=_account_headers(wanted.environ),
    )
    served = served_models(server, timeout=_CHECK_SECONDS)
    return server.with_model([one.name for one in served]), served


def _account_headers(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what tells OpenAI's own service whose account pays."""
    names = {"OPENAI_ORG_ID": "openai-organization", "OPENAI_PROJECT_ID": "openai-project"}
    values = {header: environ.get(name, "").strip() for name, header in names.items()}
    return {header: value for header, value in values.items() if value and value.isascii() and value.isprintable()}


def _reply_limit(wanted: Wanted) -> int | None:
    fields = RequestFields.parse(wanted.parsed(_OpenAIArguments).request)
    return fields.limit_of(wanted.settings.sampling.max_tokens)


def _count(wanted: Wanted) -> TokenCounter:
    from turnwise.runners.models.openai.wire import context_length

    server, served = _find_server(wanted)
    length = context_length(server, served, timeout=_CHECK_SECONDS)
    return ServerCounter(server.base_url, server.model, api_key=server.api_key, max_length=length)


OPENAI = BackEnd(_open, _count, cores=1, describe=_describe_known, reply_limit=_reply_limit)
