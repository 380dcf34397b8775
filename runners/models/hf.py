"""``--model hf``: a model that transformers loads in this process."""

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.models.back_end import BackEnd, Positive, Wanted
from turnwise.runners.models.counters import TokenCounter
from turnwise.runners.models.descriptions import describe_hf
from turnwise.runners.models.local import UNKNOWN_LENGTH, LocalArguments, count_by_template
from turnwise.runners.models.sampler import Model

_SAMPLING = frozenset({"temperature", "top_p", "top_k", "max_tokens", "stop"})


class _Arguments(LocalArguments):
    device: str = ""
    batch_size: Positive = 8
    max_length: Positive | None = None


def _open(wanted: Wanted) -> Model:
    given = wanted.parsed(_Arguments)
    name = given.name("hf")
    try:
        from turnwise.runners.models.hf_engine import HFEngine, HFOptions
    except ImportError:
        raise MissingExtraError("--model hf", "torch and transformers", "hf") from None
    from turnwise.runners.models.batching import BatchingModel

    if unknown := set(wanted.settings.sampling.told()) - _SAMPLING:
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


def _count(wanted: Wanted) -> TokenCounter:
    given = wanted.parsed(_Arguments)
    return count_by_template(given, given.name("hf"), given.max_length)


def _describe(wanted: Wanted) -> dict[str, str]:
    given = wanted.parsed(_Arguments)
    length = given.max_length or wanted.recorded.get("max_length")
    if length is None:
        raise TurnwiseError(UNKNOWN_LENGTH.format(back_end="hf", name="max_length"))
    return describe_hf(given.name("hf"), int(length), revision=given.revision or "main")


HF = BackEnd(_open, _count, cores=1, in_process=True, describe=_describe)
