"""The model back ends by name: ``--model`` and ``--model_args`` as text to a Model, checked before any work."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from turnwise.commands.machine import parse_pairs
from turnwise.commands.settings import validated
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.descriptions import describe_hf, describe_openai, describe_vllm
from turnwise.runners.preflight import TokenCounter
from turnwise.runners.replay import ReplaySampler
from turnwise.runners.sampler import Model, ScriptedSampler
from turnwise.runners.settings import RunSettings
from turnwise.tasks.catalog import Task

if TYPE_CHECKING:
    from turnwise.runners.openai_server import Server

_HOSTED = "https://api.openai.com/v1"
_CHECK_SECONDS = 20.0
_UNKNOWN_LENGTH = (
    "--model {back_end} is not loaded here, so give its context in --model_args ({name}=N): it stands in run.json."
)


_Positive = Annotated[int, Field(ge=1)]


class _Arguments(BaseModel):
    """What every back end that is sampled from takes; lm-eval's names where it has them."""

    model_config = ConfigDict(extra="forbid")
    model: str = ""
    logprobs: bool = False
    system_role: bool = True


class _OpenAIArguments(_Arguments):
    base_url: str = ""
    num_concurrent: Annotated[int, Field(ge=0)] = 0
    max_retries: Annotated[int, Field(ge=0)] = 5
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1800.0
    outage: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 60.0


class _LocalArguments(_Arguments):
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


class _HFArguments(_LocalArguments):
    device: str = ""
    batch_size: _Positive = 8
    max_length: _Positive | None = None


class _VLLMArguments(_LocalArguments):
    """Others go to vLLM's engine as they are."""

    model_config = ConfigDict(extra="allow")
    tensor_parallel_size: _Positive = 1
    pipeline_parallel_size: _Positive = 1
    max_model_len: _Positive | None = None

    def engine_arguments(self) -> dict[str, Any]:
        """Return what the engine takes; values that are JSON (numbers, true, false) are read as such."""
        own = {name: getattr(self, name) for name in ("tensor_parallel_size", "pipeline_parallel_size")}
        if self.max_model_len is not None:
            own["max_model_len"] = self.max_model_len
        return {**own, "dtype": self.dtype, **{name: _as_json(text) for name, text in (self.model_extra or {}).items()}}


Opener = Callable[[str, RunSettings, Sequence[Task], Mapping[str, str]], Model]


def open_model(
    back_end: "BackEnd", arguments: str, *, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]
) -> Model:
    """Return the model; raises TurnwiseError for arguments that cannot be, or a server that does not serve it."""
    return back_end.open(arguments, settings, tasks, environ)


def describe_model(
    back_end: "BackEnd", arguments: str, environ: Mapping[str, str], *, served_in_job: bool = False
) -> Model | None:
    """Return a model that is only what run.json will say of one that is not open here; None for those that can be.

    Those are engines in the job's process, and (``served_in_job``) servers that the job starts. Raises
    TurnwiseError where only the model itself could tell.
    """
    describe = _describe_served if served_in_job else back_end.describe
    if describe is None:
        return None
    model = ScriptedSampler({})
    model.description = describe(arguments, environ)
    return model


def models_to_fetch(back_end: "BackEnd", arguments: str) -> list[tuple[str, str | None]]:
    """Return the models and tokenizers of the hub, each with its revision, that an engine in the job would load."""
    if not back_end.in_process:
        return []
    given = parse_pairs(arguments, "--model_args")
    revision = given.get("revision") or None
    names = (given.get("model") or given.get("pretrained"), given.get("tokenizer"))
    return [(name, revision) for name in names if name]


def served_name(arguments: str) -> str:
    """Return the model that a server of the job's own is to serve; raises TurnwiseError if none is named."""
    given = validated(_OpenAIArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    if given.base_url or not given.model:
        raise TurnwiseError("The profile has a server for each job: give -M openai -a model=NAME, and no base_url.")
    return given.model


def find_back_end(name: str) -> "BackEnd":
    """Return the back end of this name; raises TurnwiseError if there is none."""
    if name not in MODELS:
        raise TurnwiseError(f"Unknown model {name!r}: choose one of {', '.join(MODELS)}.")
    return MODELS[name]


def _open_replay(arguments: str, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]) -> Model:  # noqa: ARG001 - one signature for all
    pairs = parse_pairs(arguments, "--model_args")
    path = pairs.pop("path", "")
    if not path or set(pairs) - {"model", "method"}:
        raise TurnwiseError(
            f"--model replay needs -a path=FILE (and takes model=GLOB, method=GLOB), not {arguments!r}."
        )
    return ReplaySampler(Path(path), benchmarks=[task.benchmark for task in tasks], **pairs)


def _open_openai(arguments: str, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]) -> Model:  # noqa: ARG001 - one signature for all
    server = _find_server(arguments, environ)
    from turnwise.runners.openai_model import OpenAIModel

    return OpenAIModel(server, settings.sampling)


def _find_server(arguments: str, environ: Mapping[str, str]) -> "Server":
    """Return the server and its model; raises TurnwiseError if it does not answer or has no such model."""
    try:
        from turnwise.runners.openai_server import Server, served_models
    except ImportError:
        raise MissingExtraError("--model openai", "openai", "openai") from None
    given = validated(_OpenAIArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    key = environ.get("OPENAI_API_KEY", "")
    base_url = given.base_url or environ.get("OPENAI_BASE_URL", "") or (_HOSTED if key else "")
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
        system_role=given.system_role,
    )
    return server.with_model(served_models(server, timeout=_CHECK_SECONDS))


def _count_by_server(arguments: str, environ: Mapping[str, str]) -> TokenCounter:
    from turnwise.runners.counters import ServerCounter

    server = _find_server(arguments, environ)
    return ServerCounter(server.base_url, server.model, api_key=server.api_key)


def _count_for_hf(arguments: str, environ: Mapping[str, str]) -> TokenCounter:  # noqa: ARG001 - one signature for all
    given = validated(_HFArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    return _count_by_template(given, given.name("hf"), given.max_length)


def _count_for_vllm(arguments: str, environ: Mapping[str, str]) -> TokenCounter:  # noqa: ARG001 - one signature for all
    given = validated(_VLLMArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    return _count_by_template(given, given.name("vllm"), given.max_model_len)


def _count_by_template(given: _LocalArguments, name: str, max_length: int | None) -> TokenCounter:
    from turnwise.runners.counters import TemplateCounter

    try:
        return TemplateCounter(name, tokenizer=given.tokenizer, revision=given.revision, max_length=max_length)
    except ImportError:
        raise MissingExtraError("Counting tokens", "transformers", "hf") from None


def _count_by_characters(arguments: str, environ: Mapping[str, str]) -> TokenCounter:  # noqa: ARG001 - one signature for all
    from turnwise.runners.preflight import CharacterCounter

    return CharacterCounter()


def _open_hf(arguments: str, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]) -> Model:  # noqa: ARG001 - one signature for all
    given = validated(_HFArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    name = given.name("hf")
    try:
        from turnwise.runners.hf_model import HFEngine, HFOptions
    except ImportError:
        raise MissingExtraError("--model hf", "torch and transformers", "hf") from None
    from turnwise.runners.batching import BatchingModel

    options = HFOptions(
        name,
        revision=given.revision or "main",
        tokenizer=given.tokenizer,
        dtype=given.dtype,
        device=given.device,
        max_length=given.max_length or 0,
        trust_remote_code=given.trust_remote_code,
        logprobs=given.logprobs,
        system_role=given.system_role,
    )
    return BatchingModel(HFEngine(options, settings.sampling), batch_size=given.batch_size)


def _open_vllm(arguments: str, settings: RunSettings, tasks: Sequence[Task], environ: Mapping[str, str]) -> Model:  # noqa: ARG001 - one signature for all
    given = validated(_VLLMArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    name = given.name("vllm")
    from turnwise.runners.vllm_model import VLLMOptions, open_vllm

    options = VLLMOptions(name, given.tokenizer, given.revision, given.trust_remote_code, given.engine_arguments())
    try:
        return open_vllm(options, settings.sampling, logprobs=given.logprobs, system_role=given.system_role)
    except ImportError:
        raise MissingExtraError("--model vllm", "vllm", "vllm") from None


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _describe_hf(arguments: str, environ: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG001 - one signature for all
    given = validated(_HFArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    if given.max_length is None:
        raise TurnwiseError(_UNKNOWN_LENGTH.format(back_end="hf", name="max_length"))
    return describe_hf(given.name("hf"), given.max_length, revision=given.revision or "main")


def _describe_served(arguments: str, environ: Mapping[str, str]) -> dict[str, str]:  # noqa: ARG001 - one signature for all
    given = validated(_OpenAIArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    return describe_openai(served_name(arguments), system_role=given.system_role)


def _describe_vllm(arguments: str, environ: Mapping[str, str]) -> dict[str, str]:
    given = validated(_VLLMArguments, parse_pairs(arguments, "--model_args"), "--model_args")
    if given.max_model_len is None:
        raise TurnwiseError(_UNKNOWN_LENGTH.format(back_end="vllm", name="max_model_len"))
    return describe_vllm(given.name("vllm"), given.max_model_len, revision=given.revision, environ=environ)


@dataclass(frozen=True, slots=True)
class BackEnd:
    """How a model is opened, and how many of this machine's cores it needs for itself.

    ``in_process`` engines start threads and load an accelerator: judge workers have to be there before.
    ``describe`` says what run.json says of one that is not loaded.
    """

    open: Opener
    count: Callable[[str, Mapping[str, str]], TokenCounter]
    cores: int = 0
    in_process: bool = False
    describe: Callable[[str, Mapping[str, str]], dict[str, str]] | None = None


MODELS: dict[str, BackEnd] = {
    "openai": BackEnd(_open_openai, _count_by_server, cores=1),
    # Two cores: our event loop, the engine's process.
    "vllm": BackEnd(_open_vllm, _count_for_vllm, cores=2, in_process=True, describe=_describe_vllm),
    "hf": BackEnd(_open_hf, _count_for_hf, cores=1, in_process=True, describe=_describe_hf),
    "replay": BackEnd(_open_replay, _count_by_characters),
}
