"""Engines that take new weights while they live: what samples from a policy that is being trained elsewhere.

    with closing(open_live("vllm", wanted)) as model:
        model.sleep()                      # the device's memory is the trainer's
        model.load_weights(folder)         # as save_pretrained leaves them; it is awake, and answers with them

An engine of transformers over the live model (models/hf.py) finds the weights as they are, and needs none of this.
Servers are not told: a server's weights are those that it was started with.
"""

import gc
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.chat import ChatTemplate
from turnwise.runners.models.sampler import Model

# What an engine needs besides, that it can sleep.
_ARGUMENTS = {BackEndName.VLLM: "enable_sleep_mode=true"}


class LiveWeights(Protocol):
    """What takes new weights, and lets go of the device's memory between two uses."""

    def load_weights(self, folder: Path) -> None:
        """Answer with the weights in ``folder`` from now on, awake; raises InfrastructureError if they do not fit."""
        ...

    def sleep(self) -> None:
        """Let go of the device's memory; what is being answered is broken off."""
        ...

    def wake(self) -> None:
        """Take it again, with the weights as they were."""
        ...


@runtime_checkable
class AsyncWeights(Protocol):
    """The same of an engine whose calls are awaited, all of them in one event loop."""

    template: ChatTemplate
    tells_tokens: bool

    async def load_weights(self, folder: Path) -> None:
        """As of LiveWeights."""
        ...

    async def sleep(self) -> None:
        """As of LiveWeights."""
        ...

    async def wake(self) -> None:
        """As of LiveWeights."""
        ...


class ReloadableModel(Model, AsyncWeights, Protocol):
    """A model whose engine takes new weights."""


class LiveModel:
    """A model whose engine takes new weights, and ``runner``, the event loop in which the engine's own tasks live.

    Whatever is awaited of ``model`` has to run there.
    """

    def __init__(self, model: ReloadableModel) -> None:
        self.model = model
        self.runner = InterruptibleRunner()

    @property
    def description(self) -> dict[str, str]:
        """What is asked: at least ``model``."""
        return self.model.description

    @property
    def template(self) -> ChatTemplate:
        """What renders its prompts."""
        return self.model.template

    @property
    def tells_tokens(self) -> bool:
        """Whether its replies have token ids and log-probabilities."""
        return self.model.tells_tokens

    def load_weights(self, folder: Path) -> None:
        """As of LiveWeights."""
        self.runner.run(self.model.load_weights(folder))

    def sleep(self) -> None:
        """As of LiveWeights."""
        self.runner.run(self.model.sleep())

    def wake(self) -> None:
        """As of LiveWeights."""
        self.runner.run(self.model.wake())

    def close(self) -> None:
        """End the engine and the loop."""
        try:
            self.runner.run(self.model.close())
        finally:
            self.runner.close()
            gc.collect()  # the engine's own tasks, which held it, have ended with the loop


def open_live(name: str, wanted: Wanted) -> LiveModel:
    """Return the model of the back end ``name``, opened so that it can sleep and tells its tokens.

    Raises TurnwiseError for one whose weights are not ours to change, before anything is loaded.
    """
    model: Model | None = None
    if name in _ARGUMENTS:
        arguments = ",".join(filter(None, (_ARGUMENTS[BackEndName(name)], wanted.arguments, "logprobs=true")))
        model = find_back_end(name).open(replace(wanted, arguments=arguments))
    if not isinstance(model, AsyncWeights):
        raise TurnwiseError(
            f"The model {name!r} takes no new weights while it lives, so it cannot sample from a policy in training: "
            "choose hf or vllm."
        )
    return LiveModel(model)
