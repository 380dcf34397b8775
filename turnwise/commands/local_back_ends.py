"""``--model hf`` and ``--model vllm``: engines in this process."""

import json
from typing import Any

from pydantic import ConfigDict

from turnwise.commands.back_end import Arguments, BackEnd, Positive, Wanted
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.descriptions import describe_hf, describe_vllm
from turnwise.runners.preflight import TokenCounter
from turnwise.runners.sampler import Model

_UNKNOWN_LENGTH = (
    "--model {back_end} is not loaded here, so give its context in --model_args ({name}=N): it stands in run.json."
)

_HF_SAMPLING = frozenset({"temperature", "top_p", "top_k", "max_tokens", "stop"})


class _LocalArguments(Arguments):
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
    batch_size: Positive = 8
    max_length: Positive | None = None


class _VLLMArguments(_LocalArguments):
    """Others go to vLLM's engine as they are."""

    model_config = ConfigDict(extra="allow")
    tensor_parallel_size: Positive = 1
    pipeline_parallel_size: Positive = 1
    max_model_len: Positive | None = None

    def engine_arguments(self) -> dict[str, Any]:
        """Return what the engine takes; values that are JSON (numbers, true, false) are read as such."""
        own = {name: getattr(self, name) for name in ("tensor_parallel_size", "pipeline_parallel_size")}
        if self.max_model_len is not None:
            own["max_model_len"] = self.max_model_len
        return {**own, "dtype": self.dtype, **{name: _as_json(text) for name, text in (self.model_extra or {}).items()}}


def _open_hf(wanted: Wanted) -> Model:
    given = wanted.parsed(_HFArguments)
    name = given.name("hf")
    try:
        from turnwise.runners.hf_model import HFEngine, HFOptions
    except ImportError:
        raise MissingExtraError("--model hf", "torch and transformers", "hf") from None
    from turnwise.runners.batching import BatchingModel

    if unknown := set(wanted.settings.sampling.told()) - _HF_SAMPLING:
        raise TurnwiseError(
            f"--model hf does not sample by {', '.join(sorted(unknown))}: leave it out of --gen_kwargs."
        )
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
    return BatchingModel(HFEngine(options, wanted.settings.sampling), batch_size=given.batch_size)


def _open_vllm(wanted: Wanted) -> Model:
    given = wanted.parsed(_VLLMArguments)
    name = given.name("vllm")
    from turnwise.runners.vllm_model import VLLMOptions, open_vllm

    options = VLLMOptions(name, given.tokenizer, given.revision, given.trust_remote_code, given.engine_arguments())
    try:
        return open_vllm(options, wanted.settings.sampling, logprobs=given.logprobs, system_role=given.system_role)
    except ImportError:
        raise MissingExtraError("--model vllm", "vllm", "vllm") from None


def _count_for_hf(wanted: Wanted) -> TokenCounter:
    given = wanted.parsed(_HFArguments)
    return _count_by_template(given, given.name("hf"), given.max_length)


def _count_for_vllm(wanted: Wanted) -> TokenCounter:
    given = wanted.parsed(_VLLMArguments)
    return _count_by_template(given, given.name("vllm"), given.max_model_len)


def _count_by_template(given: _LocalArguments, name: str, max_length: int | None) -> TokenCounter:
    from turnwise.runners.counters import TemplateCounter

    try:
        return TemplateCounter(name, tokenizer=given.tokenizer, revision=given.revision, max_length=max_length)
    except ImportError:
        raise MissingExtraError("Counting tokens", "transformers", "hf") from None


def _describe_hf(wanted: Wanted) -> dict[str, str]:
    given = wanted.parsed(_HFArguments)
    length = given.max_length or wanted.recorded.get("max_length")
    if length is None:
        raise TurnwiseError(_UNKNOWN_LENGTH.format(back_end="hf", name="max_length"))
    return describe_hf(given.name("hf"), int(length), revision=given.revision or "main")


def _describe_vllm(wanted: Wanted) -> dict[str, str]:
    given = wanted.parsed(_VLLMArguments)
    length = given.max_model_len or wanted.recorded.get("max_model_len")
    if length is None:
        raise TurnwiseError(_UNKNOWN_LENGTH.format(back_end="vllm", name="max_model_len"))
    return describe_vllm(given.name("vllm"), int(length), revision=given.revision, environ=wanted.environ)


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


HF = BackEnd(_open_hf, _count_for_hf, cores=1, in_process=True, describe=_describe_hf)
# Two cores: our event loop, the engine's process.
VLLM = BackEnd(_open_vllm, _count_for_vllm, cores=2, in_process=True, describe=_describe_vllm)
