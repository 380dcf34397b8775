"""``--model vllm``: vLLM's asynchronous engine in this process; each dialogue goes on at its own pace.

The engine batches by itself and keeps prefixes; we only see to it that a little more is in flight than it runs
at a time. The model's own generation settings are not applied (generation_config="vllm"). What the engine
takes in place of a chat is token ids of the model's own template (chat.py). It takes new weights while it lives, and
lets go of the device's memory meanwhile, for a policy that is being trained there (weights.py).
"""

import copy
import gc
import json
import math
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol, Self

from pydantic import ConfigDict

from turnwise.errors import InfrastructureError, MissingExtraError, TurnwiseError
from turnwise.records.settings import Sampling
from turnwise.records.training import describe_training
from turnwise.records.trajectory import Context, Reply
from turnwise.runners.models.back_end import (
    UNKNOWN_LENGTH,
    BackEnd,
    LocalArguments,
    Positive,
    Wanted,
    count_by_template,
)
from turnwise.runners.models.chat import ChatTemplate, Prompt, TokenCounter
from turnwise.runners.models.gate import HEADROOM, Gate
from turnwise.runners.models.sampler import Model, Request, RequestError

_ENVIRONMENT = {
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",  # stdout is for the tables
    "TOKENIZERS_PARALLELISM": "false",
}
_GIVEN_UP = frozenset({"abort", "error"})  # how the engine, not the model, ends an answer


@dataclass(frozen=True, slots=True)
class VLLMOptions:
    """Which model, and what vLLM's engine takes besides, under vLLM's names."""

    model: str
    tokenizer: str = ""
    revision: str = ""
    trust_remote_code: bool = False
    engine: Mapping[str, object] = field(default_factory=dict)

    def engine_arguments(self) -> dict[str, object]:
        """Return the arguments of AsyncEngineArgs; what is not given is left to vLLM."""
        arguments: dict[str, object] = {"model": self.model, "trust_remote_code": self.trust_remote_code}
        for name in ("tokenizer", "revision"):
            if value := getattr(self, name):
                arguments[name] = value
        return {**arguments, "enable_prefix_caching": True, **self.engine, "generation_config": "vllm"}


class AsyncEngine(Protocol):
    """What is used of vLLM's AsyncLLM."""

    def generate(self, prompt: Any, sampling_params: Any, request_id: str) -> AsyncIterator[Any]:
        """Yield the states of a request; with FINAL_ONLY the last alone."""
        ...

    def shutdown(self) -> None:
        """End the engine's processes."""
        ...

    async def sleep(self, level: int) -> None:
        """Let go of the device's memory; at level 1 the weights are kept in the machine's own."""
        ...

    async def wake_up(self, tags: list[str] | None = None) -> object:
        """Take the memory again of the ``tags``, weights or kv_cache, or of both."""
        ...

    async def collective_rpc(self, method: str, *, kwargs: dict[str, object]) -> object:
        """Call a method of each of the engine's workers."""
        ...

    async def reset_prefix_cache(self) -> object:
        """Forget what was computed of earlier prompts."""
        ...


class VLLMModel:
    """Asks an engine that runs ``batch`` requests at a time; ``make_params`` makes its SamplingParams."""

    def __init__(
        self,
        engine: AsyncEngine,
        template: ChatTemplate,
        *,
        make_params: Callable[[Sampling, Prompt, int], object],
        sampling: Sampling,
        batch: int,
        description: dict[str, str],
        logprobs: bool = False,
    ) -> None:
        self._engine: AsyncEngine | None = engine
        self._make_params = make_params
        self._sampling = sampling
        self._logprobs = logprobs
        self._asked = 0
        self._is_asleep = False
        self.template = template
        self.gate = Gate(math.ceil(HEADROOM * batch))
        self.description = description

    @property
    def tells_tokens(self) -> bool:
        """Whether replies have token ids and log-probabilities."""
        return self._logprobs

    async def generate(self, request: Request) -> Reply:
        """Return the reply; raises RequestError, ContextOverflowError, or InfrastructureError for a dead engine."""
        engine = self._living()
        prompt = self.template.render(request.messages, request.after)
        async with self.gate.slot(urgent=request.turn > 0 or request.call > 0):
            self._asked += 1
            try:
                params = self._make_params(self._sampling, prompt, request.seed)
                tokens = {"prompt_token_ids": prompt.token_ids}
                states = engine.generate(tokens, params, f"turnwise-{self._asked}")
                outputs = [state async for state in states]
            except ValueError as error:  # what vLLM refuses of one request
                raise RequestError(f"vLLM refuses the request: {error}") from None
            except Exception as error:
                raise InfrastructureError(
                    f"The engine of vLLM failed ({type(error).__name__}: {error}): run the same line again, which "
                    "goes on where this attempt stopped."
                ) from error
        if not outputs or not outputs[-1].outputs:
            raise RequestError("vLLM gave no output")
        if (end := str(outputs[-1].outputs[0].finish_reason)) in _GIVEN_UP:
            raise RequestError(f"vLLM broke the answer off ({end})")
        return self._reply(prompt, outputs[-1].outputs[0])

    def with_sampling(self, sampling: Sampling) -> Self:
        """Return the model asked with ``sampling``, over the same engine."""
        other = copy.copy(self)
        other._sampling = sampling
        other.template = self.template.with_max_tokens(sampling.max_tokens)
        return other

    async def load_weights(self, folder: Path) -> None:
        """Answer with the weights in ``folder``, a model as save_pretrained leaves it, from now on, awake.

        Raises InfrastructureError where the engine does not take them.
        """
        engine = self._living()
        if not (folder / "config.json").is_file():  # an engine that fails to find them does not live on
            raise InfrastructureError(f"There are no weights in {str(folder)!r}: write them with save_pretrained.")
        with _engine_failures(f"does not take the weights in {str(folder)!r}"):
            if self._is_asleep:
                await engine.wake_up(tags=["weights"])  # the cache of prompts has no room yet
            await engine.collective_rpc("reload_weights", kwargs={"weights_path": str(folder)})
            if self._is_asleep:
                await engine.wake_up(tags=["kv_cache"])
                self._is_asleep = False
            await engine.reset_prefix_cache()  # which is of the weights before

    async def sleep(self) -> None:
        """Let go of the device's memory; the weights wait in the machine's own.

        Raises InfrastructureError for an engine that cannot.
        """
        engine = self._living()
        if not self._is_asleep:
            with _engine_failures("does not sleep, which it does with -a enable_sleep_mode=true on a GPU alone"):
                await engine.sleep(level=1)
            self._is_asleep = True

    async def wake(self) -> None:
        """Take the device's memory again, with the weights as they were."""
        engine = self._living()
        if self._is_asleep:
            with _engine_failures("does not wake: what trains has to leave it the memory that it had"):
                await engine.wake_up()
            self._is_asleep = False

    def _living(self) -> AsyncEngine:
        if self._engine is None:
            raise InfrastructureError("The engine of vLLM has ended: start another run.")
        return self._engine

    async def close(self) -> None:
        """End the engine."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.shutdown()
            del engine
            gc.collect()  # it ends itself once more, untidily, if it lives on to the interpreter's end

    def _reply(self, prompt: Prompt, said: Any) -> Reply:
        token_ids = tuple(said.token_ids)
        context = Context(tuple(prompt.token_ids), token_ids)
        logprobs = None
        if self._logprobs and said.logprobs is not None:
            logprobs = tuple(float(one[token].logprob) for token, one in zip(token_ids, said.logprobs, strict=True))
        return Reply(
            prompt.before_reply + said.text,
            finish_reason=str(said.finish_reason or "stop"),
            prompt_tokens=len(prompt.token_ids),
            completion_tokens=len(token_ids),
            token_ids=token_ids if self._logprobs else None,
            logprobs=logprobs,
            prompt_token_ids=context.prompt if self._logprobs else None,
            context=context,
        )


@contextmanager
def _engine_failures(what: str) -> Iterator[None]:
    """Have whatever the engine raises be one sentence that says ``what`` it does not."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InfrastructureError(f"The engine of vLLM {what} ({reason}).") from error


def open_vllm(
    options: VLLMOptions, sampling: Sampling, *, logprobs: bool = False, system_role: bool = True
) -> VLLMModel:
    """Start an engine; raises TurnwiseError if the model cannot be loaded."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import transformers
    from vllm import SamplingParams
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.sampling_params import RequestOutputKind
    from vllm.v1.engine.async_llm import AsyncLLM

    arguments = options.engine_arguments()
    if unknown := sorted(set(arguments) - {one.name for one in fields(AsyncEngineArgs)}):
        raise TurnwiseError(f"--model_args {unknown[0]!r} is unknown to vLLM: mend it, or leave it out.")
    try:
        engine = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments))
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            options.tokenizer or options.model,
            revision=options.revision or None,
            trust_remote_code=options.trust_remote_code,
        )
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise TurnwiseError(f"vLLM cannot load the model {options.model!r} ({reason}): mend --model_args.") from None
    config = engine.vllm_config
    if logprobs and "logits" in str(config.model_config.logprobs_mode):
        engine.shutdown()
        raise TurnwiseError(
            f"-a logprobs_mode={config.model_config.logprobs_mode} tells logits, which are no log-probabilities: leave "
            "it out."
        )
    max_length = int(config.model_config.max_model_len)

    def make_params(sampling: Sampling, prompt: Prompt, seed: int) -> object:
        return SamplingParams(
            **_sampling_fields(sampling),
            max_tokens=prompt.max_tokens,
            seed=seed,
            logprobs=0 if logprobs else None,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    model = VLLMModel(
        engine,
        ChatTemplate(tokenizer, max_length=max_length, max_tokens=sampling.max_tokens, system_role=system_role),
        make_params=make_params,
        sampling=sampling,
        batch=int(config.scheduler_config.max_num_seqs),
        description=describe_vllm(options.model, max_length, revision=options.revision, environ=os.environ),
        logprobs=logprobs,
    )
    del engine  # this frame may live on, in what the libraries keep of errors that they met, and it with the frame
    return model


def _sampling_fields(sampling: Sampling) -> dict[str, object]:
    """Return the fields of vLLM's SamplingParams; the limit of tokens depends on the prompt."""
    return {name: value for name, value in sampling.told().items() if name != "max_tokens"}


def describe_vllm(model: str, max_length: int, *, revision: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the description of a model that vLLM loads.

    Raises TurnwiseError if it is a folder whose record of its training cannot be read.
    """
    found = {"back_end": "vllm", "model": model, "max_model_len": str(max_length), **describe_training(model)}
    if revision:
        found["revision"] = revision
    if environ.get("VLLM_BATCH_INVARIANT"):
        found["batch_invariant"] = environ["VLLM_BATCH_INVARIANT"]
    return found


class _Arguments(LocalArguments):
    """Others go to vLLM's engine as they are."""

    model_config = ConfigDict(extra="allow")
    tensor_parallel_size: Positive = 1
    pipeline_parallel_size: Positive = 1
    max_model_len: Positive | None = None

    def engine_arguments(self) -> dict[str, object]:
        """Return what the engine takes; values that are JSON (numbers, true, false) are read as such."""
        own = {name: getattr(self, name) for name in ("tensor_parallel_size", "pipeline_parallel_size")}
        if self.max_model_len is not None:
            own["max_model_len"] = self.max_model_len
        return {**own, "dtype": self.dtype, **{name: _as_json(text) for name, text in (self.model_extra or {}).items()}}


def _as_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _open(wanted: Wanted) -> Model:
    given = wanted.parsed(_Arguments)
    name = given.name("vllm")
    describe_training(name)  # where that cannot be read nothing is loaded
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


# Two cores: our event loop, the engine's process.
VLLM = BackEnd(_open, _count, cores=2, in_process=True, describe=_describe)
