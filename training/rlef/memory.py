"""What a reinforcement learning takes of a device's memory and of the disk, estimated before anything is loaded.

Memory of each device, in bytes; networks are not cut over devices:

    states       policy and critic, 16 a parameter each: float32 weights 4, gradients 4, Adam's moments 8; the reference
                 2 (bfloat16) or 4; so 34 a parameter in bfloat16, and 2 more since autocast keeps its copies of the
                 network at work. With adapters: policy and critic 2 or 4 a parameter each, and 16 for each one that
                 adapters have; no reference. Of several processes, the gradients that they exchange at a time
    activations  of a micro-batch, as in fine-tuning, where layers are computed again; else those of all layers
    logits       of the sampled tokens of a micro-batch, at most: weights' type and its gradient, and some in float32
    rollouts     keys and values of ``rollout_batch`` rows of ``max_length`` tokens, and the layer that reads their
                 prompts; an engine beside the networks has its own weights as well, and decides on its cache itself

The disk has 12 bytes for each parameter that is trained and the policy's weights for each checkpoint: the last two, the
best, and that which is being written; and the policy of the end.
"""

from turnwise.records.choices import TrainingType, ValueLevel
from turnwise.records.rlef import RlefSettings
from turnwise.training.base_model import ModelShape
from turnwise.training.memory import Estimate

SMALLER = "fewer --tokens-at-a-time or --rollout-batch"
GRADIENTS_AT_A_TIME = 2**25  # numbers that processes exchange at once
LOGITS_AT_A_TIME = 2**26  # numbers that are float32 at once
_CHECKPOINTS = 4
# Below, and on a CPU, computing each layer twice costs more than the memory that it saves is worth.
_PARAMETERS_WORTH_CHECKPOINTING = 10**8


def has_gradient_checkpoints(device: str, parameters: int) -> bool:
    """Return whether the layers of a network of so many parameters are computed again for their gradient."""
    return device != "cpu" and parameters >= _PARAMETERS_WORTH_CHECKPOINTING


def estimate(
    shape: ModelShape,
    settings: RlefSettings,
    *,
    device: str,
    processes: int = 1,
    turns: int = 3,
    has_own_engine: bool = False,
) -> Estimate:
    """Return what a training takes; ``turns`` are those of a dialogue at most.

    With ``has_own_engine`` something else than the policy itself samples, on the same device.
    """
    is_float32 = settings.dtype == TrainingType.FLOAT32
    width = 4 if is_float32 else 2
    networks = 1 if settings.value == ValueLevel.NONE else 2
    frozen = width * shape.parameters * (networks if shape.has_adapters else 1)
    copies = 0 if is_float32 else 2 * shape.trained
    buckets = 4 * min(GRADIENTS_AT_A_TIME, shape.trained) if processes > 1 else 0
    at_a_time = max(settings.tokens_at_a_time, settings.max_length)
    layer = width * (16 * shape.hidden + 6 * shape.intermediate)
    if has_gradient_checkpoints(device, shape.parameters):
        activations = at_a_time * (4 * shape.hidden * shape.layers + layer)
    else:
        activations = at_a_time * layer * shape.layers
    sampled = min(at_a_time, at_a_time * turns * settings.max_reply_tokens // settings.max_length)
    logits = sampled * shape.vocabulary
    written = 12 * networks * shape.trained + width * shape.parameters
    return Estimate(
        states=16 * networks * shape.trained + frozen + copies + buckets,
        activations=activations,
        logits=2 * width * logits + 8 * min(logits, LOGITS_AT_A_TIME),
        rollouts=_rollouts(shape, settings, width, has_own_engine=has_own_engine),
        disk=_CHECKPOINTS * written + width * shape.parameters * (2 if has_own_engine else 1),
    )


def _rollouts(shape: ModelShape, settings: RlefSettings, width: int, *, has_own_engine: bool) -> int:
    cache = settings.rollout_batch * settings.max_length * shape.layers * shape.cached * width
    prompts = settings.rollout_batch * max(1, settings.max_length - settings.max_reply_tokens)
    reading = prompts * width * (4 * shape.hidden + 2 * shape.intermediate)
    return cache + (width * shape.parameters if has_own_engine else reading)
