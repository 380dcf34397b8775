"""The networks of a reinforcement learning: the policy, its frozen beginning, and the critic (arXiv 2410.02089, A).

All begin with one model. The policy's logits are made where it spoke alone: its output layer is given the hidden states
of those places, and whatever the model does to logits (caps, scales) comes after. Trained weights are float32, and
multiplied as ``settings.dtype``; the reference has the type itself. With adapters the model has that type, the
reference is the policy without them, and the critic has adapters and a head of its own.
"""

import contextlib
import copy
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import torch

from turnwise.errors import TurnwiseError
from turnwise.records.choices import TrainingType, ValueLevel
from turnwise.records.rlef import RlefSettings
from turnwise.training.base_model import LORA_ALPHA_PER_RANK, NOT_LOADABLE, BaseModel
from turnwise.training.rlef.batches import Part
from turnwise.training.rlef.maths import entropies, log_probabilities
from turnwise.training.rlef.memory import has_gradient_checkpoints


class Critic(torch.nn.Module):  # type: ignore[misc]  # untyped
    """A language model's body with a linear head of one number; ``head`` is drawn from ``seed`` as torch draws it."""

    def __init__(self, body: Any, hidden: int, *, seed: int) -> None:
        super().__init__()
        self.body = body
        self.head = torch.nn.utils.skip_init(torch.nn.Linear, hidden, 1)
        bound = hidden**-0.5
        with torch.no_grad():
            self.head.weight.uniform_(-bound, bound, generator=torch.Generator().manual_seed(seed))
            self.head.bias.zero_()

    def forward(self, ids: torch.Tensor, attention: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Return the values, float32[n], at ``places`` of the flattened [B, L]."""
        hidden = self.body(input_ids=ids, attention_mask=attention, use_cache=False).last_hidden_state
        with torch.autocast(ids.device.type, enabled=False):  # a value of 1 in bfloat16 is known to 0.008
            return self.head(hidden.flatten(0, 1)[places].float()).squeeze(-1)


class Networks:
    """The networks on ``device``; ``policy`` is what an engine may sample from, within ``autocast()``.

    ``critic`` is None where no value is learnt. ``checkpoints`` says whether the layers' activations are computed
    again instead of kept; ``dropouts`` are the model's own settings of dropout, which is not done here.
    """

    def __init__(
        self,
        policy: Any,
        critic: Critic | None,
        reference: Any,
        *,
        device: str,
        dtype: str,
        checkpoints: bool,
        dropouts: Mapping[str, float],
    ) -> None:
        self.policy, self.critic, self._reference = policy, critic, reference
        self.device, self.dtype, self.checkpoints = device, dtype, checkpoints
        self._dropouts = dropouts

    @classmethod
    def load(cls, base: BaseModel, settings: RlefSettings, *, device: str) -> Self:
        """Return them as training begins; raises TurnwiseError for a model that cannot be loaded, or learnt so.

        No random numbers are taken from torch's own generators.
        """
        config = base.config()
        dropouts = _without_dropout(config)
        dtype = getattr(torch, settings.dtype)
        policy = _load(base, config, dtype if settings.lora_rank else torch.float32)
        _check_head(base, policy)
        reference, critic = None, None
        if settings.value != ValueLevel.NONE:
            hidden = int(config.get_text_config().hidden_size)
            critic = Critic(copy.deepcopy(policy.base_model), hidden, seed=settings.seed)
        if settings.lora_rank:
            policy = _adapted(policy, settings, task="CAUSAL_LM")
            if critic is not None:
                critic.body = _adapted(critic.body, settings, task="FEATURE_EXTRACTION")
        else:
            reference = _load(base, config, dtype).eval().requires_grad_(False).to(device)
        checkpoints = policy.supports_gradient_checkpointing and has_gradient_checkpoints(
            device, policy.num_parameters()
        )
        bodies = [policy] if critic is None else [policy, critic.body]
        for body in bodies:
            if checkpoints:
                body.activation_checkpointing_enable({"use_reentrant": False})
            body.train()  # without dropout it says no more than that checkpoints may be made
        policy.to(device)
        if critic is not None:
            critic.to(device)
        return cls(
            policy,
            critic,
            reference,
            device=device,
            dtype=settings.dtype,
            checkpoints=checkpoints,
            dropouts=dropouts,
        )

    def autocast(self) -> contextlib.AbstractContextManager[object]:
        """Return the context in which the networks are to be called, to sample from them as well."""
        is_needed = self.dtype != TrainingType.FLOAT32
        kind = torch.device(self.device).type
        return torch.autocast(kind, getattr(torch, self.dtype)) if is_needed else contextlib.nullcontext()

    def log_probabilities(self, part: Part) -> torch.Tensor:
        """Return the policy's log-probability of each sampled token of ``part``, which is on the device: float32[n]."""
        return log_probabilities(self._logits(self.policy, part), part.chosen)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def log_probabilities_and_entropies(self, part: Part) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the policy's log-probabilities, without a gradient, and the entropy of each choice: float32[n]."""
        logits = self._logits(self.policy, part)
        return log_probabilities(logits, part.chosen), entropies(logits)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def reference_log_probabilities(self, part: Part) -> torch.Tensor:
        """Return those of the frozen reference: float32[n]."""
        with contextlib.ExitStack() as stack:
            if self._reference is None:
                stack.enter_context(self.policy.disable_adapter())
            logits = self._logits(self._reference if self._reference is not None else self.policy, part)
            return log_probabilities(logits, part.chosen)

    def values(self, part: Part, places: torch.Tensor) -> torch.Tensor:
        """Return the critic's values at ``places`` of ``part``, float32[n]; there has to be one.

        It does not read what comes behind all of them, such as last replies where values are of calls.
        """
        if self.critic is None:
            raise ValueError("there is no critic")
        longest = part.ids.shape[1]
        columns = places % longest
        end = int(columns.max()) + 1
        with self.autocast():
            return self.critic(part.ids[:, :end], part.attention[:, :end], places // longest * end + columns)

    def parameters(self) -> dict[str, list[torch.nn.Parameter]]:
        """Return what is trained of each network, in a fixed order."""
        return {
            name: [parameter for parameter in network.parameters() if parameter.requires_grad]
            for name, network in self._trained().items()
        }

    def state(self) -> dict[str, torch.Tensor]:
        """Return what is trained, by names that begin with ``policy.`` or ``critic.``: not copied."""
        return {
            f"{name}.{own}": parameter.detach()
            for name, network in self._trained().items()
            for own, parameter in network.named_parameters()
            if parameter.requires_grad
        }

    def load_state(self, state: Mapping[str, torch.Tensor]) -> None:
        """Set what is trained; raises ValueError for the state of other networks."""
        own = self.state()
        if own.keys() != state.keys():
            raise ValueError("the state is of other networks")
        for name, tensor in own.items():
            if tensor.shape != state[name].shape:
                raise ValueError(f"{name} has the shape {tuple(state[name].shape)}, not {tuple(tensor.shape)}")
        for name, tensor in own.items():
            tensor.copy_(state[name])

    def save_policy(self, folder: Path) -> None:
        """Write the policy as a model of transformers: whole weights of ``dtype``, adapters merged into them.

        The policy stays as it is. No tokenizer is written.
        """
        inner = self.policy.get_base_model() if hasattr(self.policy, "get_base_model") else self.policy
        config = copy.deepcopy(inner.config)
        for part in (config, config.get_text_config()):
            for name, value in self._dropouts.items():
                if hasattr(part, name):
                    setattr(part, name, value)
        with torch.random.fork_rng(devices=[]), torch.device("meta"):
            whole = type(inner)(config)
        whole.load_state_dict(_merged(inner, getattr(torch, self.dtype)), assign=True)
        whole.generation_config = inner.generation_config
        whole.save_pretrained(folder)
        for path in folder.glob("*.safetensors"):  # which safetensors lets their owner read alone
            path.chmod((folder / "config.json").stat().st_mode)

    def _trained(self) -> dict[str, torch.nn.Module]:
        return {"policy": self.policy} if self.critic is None else {"policy": self.policy, "critic": self.critic}

    def _logits(self, model: Any, part: Part) -> torch.Tensor:
        with self.autocast(), _head_at(model, part.places):
            logits = model(input_ids=part.ids, attention_mask=part.attention, use_cache=False).logits
        return logits.reshape(-1, logits.shape[-1])


@contextlib.contextmanager
def _head_at(model: Any, places: torch.Tensor) -> Iterator[None]:
    """Have the output layer of ``model`` see the hidden states at ``places`` of the flattened [B, L] alone."""

    def select(_: object, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        hidden, *others = inputs
        return (hidden.flatten(0, 1)[places][None], *others)

    handle = model.get_output_embeddings().register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


@torch.no_grad()  # type: ignore[untyped-decorator]
def _check_head(base: BaseModel, model: Any) -> None:
    """Raise TurnwiseError for a model whose logits are not made by an output layer from each place's hidden state."""
    ids = torch.arange(3)[None]
    places = torch.tensor([1])
    try:
        model.eval()
        logits = model(input_ids=ids, use_cache=False).logits[0]
        with _head_at(model, places):
            some = model(input_ids=ids, use_cache=False).logits[0]
        is_so = some.shape == (1, logits.shape[-1]) and torch.allclose(some[0], logits[1], rtol=0.02, atol=0.02)
    except (AttributeError, TypeError, IndexError):
        is_so = False
    if not is_so:
        raise TurnwiseError(
            f"The model {base.name!r} does not make its logits by one output layer, so that they cannot be made for "
            "the sampled tokens alone: give another -a model=."
        )


def _load(base: BaseModel, config: Any, dtype: torch.dtype) -> Any:
    import transformers

    try:
        with torch.random.fork_rng(devices=[]):
            return transformers.AutoModelForCausalLM.from_pretrained(
                base.name, config=copy.deepcopy(config), dtype=dtype, **base.loading
            )
    except torch.OutOfMemoryError:
        raise
    except NOT_LOADABLE as error:
        raise base.not_loadable(error) from None


def _adapted(model: Any, settings: RlefSettings, *, task: str) -> Any:
    """Return ``model`` with adapters in all its linear layers, drawn from the seed."""
    import peft

    adapters = peft.LoraConfig(
        r=settings.lora_rank,
        lora_alpha=LORA_ALPHA_PER_RANK * settings.lora_rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type=task,
    )
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft asks transformers in an older way
        torch.default_generator.manual_seed(settings.seed)
        return peft.get_peft_model(model, adapters)


def _merged(model: Any, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the weights of ``model`` on the CPU as ``dtype``, with what adapters add; tied ones stay one tensor."""
    layers = {name: module for name, module in model.named_modules() if hasattr(module, "get_delta_weight")}
    weights: dict[str, torch.Tensor] = {}
    cast: dict[int, torch.Tensor] = {}
    for name, tensor in model.state_dict().items():
        owner, _, rest = name.rpartition(".base_layer.")
        if owner in layers:
            added = sum(layers[owner].get_delta_weight(adapter) for adapter in layers[owner].active_adapters)
            whole = tensor + added if rest == "weight" else tensor
            weights[f"{owner}.{rest}"] = whole.to("cpu", dtype)
        elif not any(part in layers for part in _prefixes(name)):
            key = tensor.data_ptr()
            if key not in cast:
                cast[key] = tensor.to("cpu", dtype if tensor.is_floating_point() else tensor.dtype)
            weights[name] = cast[key]
    return weights


def _prefixes(name: str) -> Iterator[str]:
    while name:
        name = name.rpartition(".")[0]
        yield name


def _without_dropout(config: Any) -> dict[str, float]:
    """Have nothing dropped at random, which would make each log-probability another; return what was set."""
    before: dict[str, float] = {}
    for part in (config, config.get_text_config()):
        for name, value in vars(part).items():
            if any(word in name for word in ("dropout", "pdrop", "jitter")) and isinstance(value, float) and value:
                before[name] = value
                setattr(part, name, 0.0)
    return before
