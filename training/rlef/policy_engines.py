"""What asks the policy as it is now: the networks themselves (hf), or an engine beside them that is given its weights.

Both are opened for the dialogues of an iteration, and for an evaluation. Torch is imported by whoever has the networks.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.settings import Sampling
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.models.hf import HFEngine, HFOptions
from turnwise.runners.models.sampler import BatchingModel, Model, Outcome, Request
from turnwise.runners.models.weights import LiveModel


class PolicyEngine(Protocol):
    """Samples from the policy; ``runner`` is the event loop in which its model has to be asked, None for any."""

    runner: InterruptibleRunner | None

    def opened(self) -> Any:
        """Return a context in which the policy can be asked, which yields what Rollouts.sample takes."""
        ...

    def model(self, sampling: Sampling, description: dict[str, str]) -> Model:
        """Return the policy as a model of an evaluation, which is asked within ``opened()`` alone."""
        ...

    def close(self) -> None:
        """Let go of what was opened."""
        ...


class LivePolicy:
    """The networks' own policy, a batch at a time; ``options`` say what it begins with, and its context."""

    runner: InterruptibleRunner | None = None

    def __init__(self, networks: Any, tokenizer: Any, options: HFOptions, *, sampling: Sampling, batch: int) -> None:
        self._networks, self._tokenizer, self._options, self._batch = networks, tokenizer, options, batch
        self._engine = self._engine_of(sampling, one_generator=True, logprobs=True)

    @contextmanager
    def opened(self) -> Iterator["_AutocastEngine"]:
        """Yield the engine."""
        yield self._engine

    def model(self, sampling: Sampling, description: dict[str, str]) -> Model:
        """Return the policy as a model; its replies do not depend on the batch they are in."""
        engine = self._engine_of(sampling, one_generator=False, logprobs=False)
        engine.description |= description
        return BatchingModel(engine, batch_size=self._batch)

    def close(self) -> None:
        """Leave the networks as they are."""

    def _engine_of(self, sampling: Sampling, *, one_generator: bool, logprobs: bool) -> "_AutocastEngine":
        options = replace(self._options, one_generator=one_generator, logprobs=logprobs)
        engine = HFEngine(self._networks.policy, self._tokenizer, options, sampling)
        return _AutocastEngine(engine, self._networks)


class _AutocastEngine:
    """An engine whose every batch is made in the type of training: the context is of the thread that asks."""

    def __init__(self, engine: HFEngine, networks: Any) -> None:
        self._engine, self._networks = engine, networks
        self.template = engine.template
        self.tells_tokens = engine.tells_tokens
        self.description = dict(engine.description)

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in order."""
        try:
            with self._networks.autocast():
                return self._engine.generate_batch(requests)
        except TurnwiseError as error:  # the engine knows the option of a run
            raise InfrastructureError(str(error).replace("-a batch_size=", "--rollout-batch")) from None

    def with_sampling(self, sampling: Sampling) -> "_AutocastEngine":
        """Return the engine that samples by ``sampling``, over the same weights."""
        other = _AutocastEngine(self._engine.with_sampling(sampling), self._networks)
        other.description = self.description
        return other


class SentPolicy:
    """An engine of its own (vLLM) that is given the policy's weights in a ``folder``, and sleeps while it learns."""

    def __init__(self, engine: LiveModel, networks: Any, folder: Path) -> None:
        self._engine, self._networks, self._folder = engine, networks, folder
        self.runner: InterruptibleRunner | None = engine.runner

    @contextmanager
    def opened(self) -> Iterator[LiveModel]:
        """Yield the engine, awake and with the weights of now."""
        import torch

        self._networks.save_policy(self._folder)
        if torch.cuda.is_available():  # what learning has let go of, torch keeps for itself
            torch.cuda.empty_cache()
        self._engine.load_weights(self._folder)
        try:
            yield self._engine
        finally:
            self._engine.sleep()

    def model(self, sampling: Sampling, description: dict[str, str]) -> Model:
        """Return the engine as a model."""
        model: Any = self._engine.model.with_sampling(sampling)
        model.description = {**model.description, **description}
        return model  # type: ignore[no-any-return]  # a copy, of whose class it is

    def close(self) -> None:
        """End the engine."""
        self._engine.close()
