"""The settings of a fine-tuning: its profiles, and what each number may be."""

import math
from dataclasses import dataclass, replace

from turnwise.errors import TurnwiseError
from turnwise.records.choices import TrainingProfile, TrainingType
from turnwise.records.training import FineTuningSettings

_LARGEST = 10**9


@dataclass(frozen=True, slots=True)
class Profile:
    """Settings to begin with; with ``epochs`` the steps are as many as these take."""

    settings: FineTuningSettings
    epochs: float | None = None


PROFILES = {
    # Zheng et al., section 5: 545 steps are one epoch of their data.
    TrainingProfile.ZHENG_RFT: Profile(FineTuningSettings()),
    # One GPU: adapters, which take a larger rate than all weights do, and steps of an eighth of the tokens.
    TrainingProfile.SMALL: Profile(
        FineTuningSettings(profile="small", learning_rate=1e-4, tokens_per_step=65_536, lora_rank=32), epochs=1.0
    ),
}

# Smallest and largest value of a setting, and what to give.
_WHOLE = {
    "steps": (1, _LARGEST),
    "max_length": (2, _LARGEST),
    "tokens_per_step": (1, 10**12),
    "warmup_steps": (0, _LARGEST),
    "rows_per_device": (1, 10**6),
    "lora_rank": (0, 10**5),
    "save_steps": (1, _LARGEST),
    "seed": (0, 2**32 - 1),
}
_OPTIONS = {"lora_rank": "lora"}


def check_settings(settings: FineTuningSettings) -> None:
    """Raise TurnwiseError, naming the option, for a number that no training can have."""
    for name, (least, most) in _WHOLE.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            option = _OPTIONS.get(name, name).replace("_", "-")
            raise TurnwiseError(f"--{option} is {value}: give a whole number from {least} to {most}.")
    if not 0 < settings.learning_rate < math.inf:
        raise TurnwiseError(f"--learning-rate is {settings.learning_rate:g}: give a number above 0, such as 2e-6.")
    if not 0 <= settings.final_rate <= 1:
        raise TurnwiseError(f"--final-rate is {settings.final_rate:g}: give a share of the peak, from 0 to 1.")
    if not 0 <= settings.weight_decay < math.inf:
        raise TurnwiseError(f"--weight-decay is {settings.weight_decay:g}: give 0 or more.")
    if settings.dtype not in list(TrainingType):
        raise TurnwiseError(f"The dtype is {settings.dtype!r}: give one of {', '.join(TrainingType)}.")


def rows_per_step(settings: FineTuningSettings, *, rows: int, tokens: int, processes: int) -> int:
    """Return how many rows hold ``tokens_per_step`` on average, as a multiple of what all devices take at a time."""
    at_a_time = settings.rows_per_device * processes
    return max(1, round(settings.tokens_per_step * rows / tokens / at_a_time)) * at_a_time


def with_epochs(settings: FineTuningSettings, epochs: float, *, rows: int, rows_a_step: int) -> FineTuningSettings:
    """Return the settings with as many steps as come nearest to ``epochs``; raises TurnwiseError for no number."""
    if not 0 < epochs <= 10**6:
        raise TurnwiseError(f"--epochs is {epochs:g}: give a number above 0.")
    return replace(settings, steps=max(1, round(epochs * rows / rows_a_step)))
