"""What a fine-tuning takes of a device's memory and of the disk, estimated before anything is loaded.

Memory of a device, in bytes:

    states       16 a parameter that is trained: float32 weights 4, gradients 4, Adam's moments 8; 2 more in bfloat16,
                 since autocast keeps its copies of the weights through a forward pass; 4 more where each of several
                 devices holds the whole model (the buckets of gradients that they exchange);
                 besides, with adapters, the model itself: 2 a parameter (bfloat16) or 4 (float32)
    activations  with gradient checkpointing, for each token of a device's rows: 4 x hidden for each layer (what is
                 kept between layers), and for the one layer that is computed again (16 x hidden + 6 x intermediate)
                 numbers of 2 or 4 bytes
    logits       for the tokens with labels alone: 6 x vocabulary (bfloat16 and float32), of the rows with most tokens

A model that FSDP or DeepSpeed cuts over the devices has its states divided by their number. On the disk, a checkpoint
has 12 bytes for each parameter that is trained (weights and moments); there are three while one is written, and the
model that is made in the end. Fragmentation, the libraries' own buffers and the cost of communication are not in it.
"""

from turnwise.records.choices import TrainingType
from turnwise.records.training import FineTuningSettings
from turnwise.training.base_model import ModelShape
from turnwise.training.fine_tuning.token_file import BYTES_PER_TOKEN
from turnwise.training.memory import Estimate

_CHECKPOINTS = 3


def estimate(
    shape: ModelShape,
    settings: FineTuningSettings,
    *,
    longest: int,
    most_labels: int,
    tokens: int,
    processes: int = 1,
    sharded: bool = False,
) -> Estimate:
    """Return what a training takes; ``longest`` and ``most_labels`` are of one row, ``tokens`` of all rows.

    With ``sharded`` the model is cut over the ``processes``.
    """
    width = 2 if settings.dtype == TrainingType.BFLOAT16 else 4
    frozen = width * shape.parameters if shape.has_adapters else 0
    copies = 0 if settings.dtype == TrainingType.FLOAT32 else 2
    buckets = 4 if processes > 1 and not sharded else 0
    at_a_time = settings.rows_per_device * longest
    return Estimate(
        states=((16 + copies + buckets) * shape.trained + frozen) // (processes if sharded else 1),
        activations=at_a_time
        * (4 * shape.hidden * shape.layers + width * (16 * shape.hidden + 6 * shape.intermediate)),
        logits=settings.rows_per_device * most_labels * shape.vocabulary * 6,
        disk=_CHECKPOINTS * 12 * shape.trained + width * shape.parameters + BYTES_PER_TOKEN * tokens,
    )
