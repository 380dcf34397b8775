"""``--model vllm``: vLLM's engine in this process."""

import json
from typing import Any

from pydantic import ConfigDict

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.models.back_end import BackEnd, Positive, Wanted
from turnwise.runners.models.counters import TokenCounter
from turnwise.runners.models.descriptions import describe_vllm
from turnwise.runners.models.local import UNKNOWN_LENGTH, LocalArguments, count_by_template
from turnwise.runners.models.sampler import Model


class _Arguments(LocalArguments):
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


def _open(wanted: Wanted) -> Model:
    given = wanted.parsed(_Arguments)
    name = given.name("vllm")
    from turnwise.runners.models.vllm_engine import VLLMOptions, open_vllm

    options = VLLMOptions(name, given.tokenizer, given.revision, given.trust_remote_code, given.engine_arguments())
    try:
        return open_vllm(options, wanted.settings.sampling, logprobs=given.logprobs, system_role=given.system_role)
    except ImportError:
        raise MissingExtraError("--model vllm", "vllm", "vllm") from None


def _count(wanted: Wanted) -> TokenCounter:
    given = wanted.parsed(_Arguments)
    return count_by_template(given, given.name("vllm"), given.max_model_len)


def _describe(wanted: Wanted) -> dict[str, str]:
    given = wanted.parsed(_Arguments)
    length = given.max_model_len or wanted.recorded.get("max_model_len")
    if length is None:
        raise TurnwiseError(UNKNOWN_LENGTH.format(back_end="vllm", name="max_model_len"))
    return describe_vllm(given.name("vllm"), int(length), revision=given.revision, environ=wanted.environ)


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# Two cores: our event loop, the engine's process.
VLLM = BackEnd(_open, _count, cores=2, in_process=True, describe=_describe)
