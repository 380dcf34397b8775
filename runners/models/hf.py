"""``--model hf``: a model of the transformers library in this process, a batch at a time.

Each row of a batch draws from a generator of its own seed (Gumbel noise on the log-probabilities, which is
sampling from them exactly), so that a reply does not depend on the batch it was in, but for the arithmetic
of the device. The model's own generation settings are not applied, but for its end tokens.

An engine may also stand over a model that somebody else holds, such as one that is being trained: it finds it as it
leaves it.

>>> engine = HFEngine(model, tokenizer, HFOptions("my-model", one_generator=True), Sampling(temperature=1.0))
>>> replies = engine.generate_batch(requests)
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from turnwise.errors import MissingExtraError, TurnwiseError
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
from turnwise.runners.models.sampler import BatchingModel, ContextOverflowError, Model, Outcome, Request

_SAMPLING = frozenset({"temperature", "top_p", "top_k", "max_tokens", "stop"})


@dataclass(frozen=True, slots=True)
class HFOptions:
    """Which model and how it is loaded; ``device`` "" takes an accelerator where there is one.

    With ``one_generator`` a batch draws from one generator, of its first request's seed: faster, but a reply then
    depends on the batch it was in.
    """

    model: str
    revision: str = "main"
    tokenizer: str = ""
    dtype: str = "auto"
    device: str = ""
    max_length: int = 0
    trust_remote_code: bool = False
    logprobs: bool = False
    system_role: bool = True
    one_generator: bool = False


class HFEngine:
    """Answers with ``model``, whatever device it is on; its modes and generation settings are left as they are found.

    The log-probabilities of replies are the model's own, at temperature 1: those of the policy that drew the tokens
    only where that samples at temperature 1 without ``top_p`` and ``top_k``. Raises TurnwiseError for a model without
    an end token or a tokenizer without a chat template.
    """

    def __init__(self, model: Any, tokenizer: Any, options: HFOptions, sampling: Sampling) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._options = options
        self._sampling = sampling
        self._ends = _end_tokens(model, tokenizer)
        max_length = options.max_length or int(getattr(model.config, "max_position_embeddings", 4096))
        self.template = ChatTemplate(
            tokenizer, max_length=max_length, max_tokens=sampling.max_tokens, system_role=options.system_role
        )
        self.description = describe_hf(options.model, max_length, revision=options.revision)

    @property
    def tells_tokens(self) -> bool:
        """Whether replies have token ids and log-probabilities."""
        return self._options.logprobs

    @classmethod
    def load(cls, options: HFOptions, sampling: Sampling) -> Self:
        """Return the engine over the model that ``options`` name; raises TurnwiseError if it cannot be loaded."""
        import torch
        import transformers

        device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        loading: dict[str, object] = {"revision": options.revision, "trust_remote_code": options.trust_remote_code}
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(options.tokenizer or options.model, **loading)
            model = transformers.AutoModelForCausalLM.from_pretrained(options.model, dtype=options.dtype, **loading)
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:  # tokenizers raises just that, and transformers whatever a damaged file leads to
            reason = " ".join(str(error).split())[:300]
            raise TurnwiseError(f"The model {options.model!r} cannot be loaded ({reason}): mend -a model=.") from None
        return cls(model.to(device).eval(), tokenizer, options, sampling)

    def with_sampling(self, sampling: Sampling) -> Self:
        """Return the engine that samples by ``sampling``, over the same weights."""
        other = copy.copy(self)
        other._sampling = sampling
        other.template = self.template.with_max_tokens(sampling.max_tokens)
        return other

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in order."""
        import torch

        outcomes: list[Outcome] = [None] * len(requests)
        prompts: dict[int, Prompt] = {}
        for place, request in enumerate(requests):
            try:
                prompts[place] = self.template.render(request.messages, request.after)
            except ContextOverflowError as error:
                outcomes[place] = error
        if prompts:
            seeds = [requests[place].seed for place in prompts]
            try:
                replies = self._generate(list(prompts.values()), seeds)
            except torch.OutOfMemoryError:
                raise TurnwiseError(
                    f"A batch of {len(prompts)} does not fit the accelerator's memory: give a smaller -a batch_size=."
                ) from None
            for place, reply in zip(prompts, replies, strict=True):
                outcomes[place] = reply
        return outcomes

    def _generate(self, prompts: Sequence[Prompt], seeds: Sequence[int]) -> list[Reply]:
        import torch
        import transformers

        longest = max(len(prompt.token_ids) for prompt in prompts)
        pad = self._ends[0]
        rows = [[pad] * (longest - len(prompt.token_ids)) + prompt.token_ids for prompt in prompts]
        masks = [[0] * (longest - len(prompt.token_ids)) + [1] * len(prompt.token_ids) for prompt in prompts]
        device = self._model.device
        choice = SeededChoice(self._sampling, seeds, device, one_generator=self._options.one_generator)
        stops = {"stop_strings": list(self._sampling.stop), "tokenizer": self._tokenizer} if self._sampling.stop else {}
        # What inference_mode makes (a table of positions, say) could not be trained with afterwards.
        with torch.no_grad(), self._generating():
            found = self._model.generate(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=torch.tensor(masks, device=device),
                max_new_tokens=max(prompt.max_tokens for prompt in prompts),
                do_sample=False,  # SeededChoice has drawn
                logits_processor=transformers.LogitsProcessorList([choice]),
                **stops,
            )
        logprobs = torch.stack(choice.logprobs, dim=1).tolist()
        answers = found[:, longest:].tolist()
        return [self._reply(*one) for one in zip(prompts, answers, logprobs, strict=True)]

    @contextmanager
    def _generating(self) -> Iterator[None]:
        """Have the model answer as in evaluation, with no settings but ours."""
        import transformers

        ours = transformers.GenerationConfig(eos_token_id=self._ends, pad_token_id=self._ends[0], use_cache=True)
        # An adapter of peft gives its settings to the model that it adapts.
        inner = getattr(self._model, "get_base_model", lambda: self._model)()
        settings = [(one, one.generation_config) for one in {id(one): one for one in (self._model, inner)}.values()]
        modes = [(module, module.training) for module in self._model.modules()]
        try:
            self._model.generation_config = ours
            self._model.eval()
            yield
        finally:
            for one, before in settings:
                one.generation_config = before
            for module, mode in modes:
                module.training = mode

    def _reply(self, prompt: Prompt, answer: list[int], logprobs: list[float]) -> Reply:
        end = next((at + 1 for at, token in enumerate(answer) if token in self._ends), None)
        length = min(prompt.max_tokens, len(answer) if end is None else end)
        token_ids = answer[:length]
        text = self._tokenizer.decode(token_ids, skip_special_tokens=True)
        cuts = [at for stop in self._sampling.stop if (at := text.find(stop)) >= 0]
        is_whole = (end is not None and end <= prompt.max_tokens) or bool(cuts)
        context = Context(tuple(prompt.token_ids), tuple(token_ids))
        return Reply(
            prompt.before_reply + (text[: min(cuts)] if cuts else text),
            finish_reason="stop" if is_whole else "length",
            prompt_tokens=len(prompt.token_ids),
            completion_tokens=length,
            token_ids=context.reply if self._options.logprobs else None,
            logprobs=tuple(logprobs[:length]) if self._options.logprobs else None,
            prompt_token_ids=context.prompt if self._options.logprobs else None,
            context=context,
        )


class SeededChoice:
    """Draws the next token of each row: logits float[rows, vocabulary] to 0 for the chosen one, -inf for others.

    ``logprobs`` are those of the chosen tokens under the model itself, before temperature and cut-offs. With
    ``one_generator`` the first seed is that of all rows.
    """

    def __init__(
        self, sampling: Sampling, seeds: Sequence[int], device: object, *, one_generator: bool = False
    ) -> None:
        import torch

        self._sampling = sampling
        if one_generator:
            seeds = seeds[:1]
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]
        self.logprobs: list[object] = []

    def __call__(self, input_ids: object, scores: Any) -> object:  # noqa: ARG002 - the signature of transformers
        """Return the choice."""
        import torch

        scores = scores.float()
        chosen = (self._noisy(scores) if self._temperature > 0 else scores).argmax(dim=-1, keepdim=True)
        self.logprobs.append(scores.log_softmax(dim=-1).gather(1, chosen).squeeze(1))
        return torch.full_like(scores, float("-inf")).scatter(1, chosen, 0.0)

    @property
    def _temperature(self) -> float:
        given = self._sampling.temperature
        return 1.0 if given is None else given

    def _noisy(self, scores: Any) -> Any:
        import torch

        scores = self._without_unlikely(scores / self._temperature)
        shape = (scores.shape[0] // len(self._generators), scores.shape[1])
        uniform = torch.cat([torch.rand(shape, generator=one, device=one.device) for one in self._generators])
        return scores - torch.log(-torch.log(uniform.clamp(1e-20, 1 - 1e-7)))

    def _without_unlikely(self, scores: Any) -> object:
        top_k, top_p = self._sampling.top_k, self._sampling.top_p
        if top_k is not None and top_k < scores.shape[1]:
            scores = scores.masked_fill(scores < scores.topk(top_k).values[:, -1:], float("-inf"))
        if top_p is not None and top_p < 1:
            ordered, places = scores.sort(descending=True)
            shares = ordered.softmax(dim=-1)
            beyond = shares.cumsum(dim=-1) - shares >= top_p  # what is more likely has reached top_p already
            scores = scores.masked_fill(beyond.gather(1, places.argsort(dim=-1)), float("-inf"))
        return scores


def _end_tokens(model: Any, tokenizer: Any) -> list[int]:
    given = model.generation_config.eos_token_id
    ends = list(given) if isinstance(given, list | tuple) else [given]
    found = [end for end in (*ends, tokenizer.eos_token_id) if end is not None]
    if not found:
        raise TurnwiseError(f"The model {tokenizer.name_or_path!r} has no end token: give another -a model=.")
    return list(dict.fromkeys(found))


def describe_hf(model: str, max_length: int, *, revision: str) -> dict[str, str]:
    """Return the description of a model that transformers loads; the revision main is not named.

    Raises TurnwiseError if it is a folder whose record of its training cannot be read.
    """
    found = {"back_end": "hf", "model": model, "max_length": str(max_length), **describe_training(model)}
    return found if revision == "main" else {**found, "revision": revision}


class _Arguments(LocalArguments):
    device: str = ""
    batch_size: Positive = 8
    max_length: Positive | None = None


def _open(wanted: Wanted) -> Model:
    given = wanted.parsed(_Arguments)
    name = given.name("hf")
    describe_training(name)  # where that cannot be read nothing is loaded
    try:
        import torch  # noqa: F401 - whether it is there
        import transformers  # noqa: F401 - as above
    except ImportError:
        raise MissingExtraError("--model hf", "torch and transformers", "hf") from None
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
    return BatchingModel(HFEngine.load(options, wanted.settings.sampling), batch_size=given.batch_size)


def _count(wanted: Wanted) -> TokenCounter:
    given = wanted.parsed(_Arguments)
    return count_by_template(given, given.name("hf"), given.max_length)


def _describe(wanted: Wanted) -> dict[str, str]:
    given = wanted.parsed(_Arguments)
    length = given.max_length or wanted.recorded.get("max_length")
    if length is None:
        raise TurnwiseError(UNKNOWN_LENGTH.format(back_end="hf", name="max_length"))
    return describe_hf(given.name("hf"), int(length), revision=given.revision or "main")


HF = BackEnd(_open, _count, cores=1, in_process=True, describe=_describe, samples_by=_SAMPLING)
