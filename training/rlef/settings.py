"""The settings of reinforcement learning: its profiles, and what each number may be."""

import math

from turnwise.errors import TurnwiseError
from turnwise.records.choices import RlefProfile, TrainingType, ValueLevel
from turnwise.records.rlef import RewardSettings, RlefSettings

INVALID_IS = ("no_code", "no_code_or_compile_error")
_LARGEST = 10**9
_HIGH = 1e30  # of numbers: what float32 holds, with room for products
_MOST_REWARD = 1e6

PROFILES = {
    # arXiv 2410.02089, section 3 and appendix A: 12,000 updates.
    RlefProfile.PAPER: RlefSettings(),
    # One GPU: adapters, which take a larger rate than all weights do, and an eighth of the dialogues.
    RlefProfile.SMALL: RlefSettings(
        profile="small",
        iterations=500,
        rollouts=128,
        group=4,
        learning_rate=1e-5,
        warmup_updates=10,
        lora_rank=32,
        save_iterations=1,
        evaluate_iterations=10,
    ),
}

# Smallest and largest value of a setting.
_WHOLE = {
    "iterations": (1, _LARGEST),
    "rollouts": (1, 10**6),
    "group": (1, 10**6),
    "minibatches": (1, 10**6),
    "warmup_updates": (0, _LARGEST),
    "max_length": (2, _LARGEST),
    "max_reply_tokens": (1, _LARGEST),
    "tokens_at_a_time": (1, _LARGEST),
    "rollout_batch": (1, 10**6),
    "lora_rank": (0, 10**5),
    "save_iterations": (1, _LARGEST),
    "evaluate_iterations": (1, _LARGEST),
    "seed": (0, 2**32 - 1),
}
# Smallest and largest number, whether the smallest may be it, and what to give.
_NUMBERS = {
    "learning_rate": (0.0, _HIGH, False, "a number above 0, such as 2e-7"),
    "weight_decay": (0.0, _HIGH, True, "0 or more, such as 0.1"),
    "beta": (0.0, _HIGH, True, "0 or more, such as 0.05"),
    "clip": (0.0, _HIGH, False, "a number above 0, such as 0.2"),
    "gamma": (0.0, 1.0, True, "a number from 0 to 1"),
    "gae_lambda": (0.0, 1.0, True, "a number from 0 to 1"),
    "max_gradient_norm": (0.0, _HIGH, False, "a number above 0, such as 1"),
    "most_spoiled": (0.0, 1.0, True, "a share from 0 to 1"),
}
_OPTIONS = {"lora_rank": "lora"}


def check_settings(settings: RlefSettings) -> None:
    """Raise TurnwiseError, naming the option, for a number that no training can have."""
    for name, (least, most) in _WHOLE.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            raise TurnwiseError(f"{_option(name)} is {value}: give a whole number from {least} to {most}.")
    for name, (low, high, is_low_one, remedy) in _NUMBERS.items():
        number = getattr(settings, name)
        if not (math.isfinite(number) and low <= number <= high and (is_low_one or number > low)):
            raise TurnwiseError(f"{_option(name)} is {number:g}: give {remedy}.")
    for name, value, known in (
        ("value", settings.value, [*ValueLevel]),
        ("dtype", settings.dtype, [*TrainingType]),
    ):
        if value not in known:
            raise TurnwiseError(f"--{name} is {value!r}: give one of {', '.join(known)}.")
    _check_counts(settings)
    _check_rewards(settings.rewards)


def _check_counts(settings: RlefSettings) -> None:
    """Raise TurnwiseError for numbers of dialogues and tokens that do not go together."""
    if settings.rollouts % settings.group:
        raise TurnwiseError(
            f"--rollouts is {settings.rollouts} and --group {settings.group}: give a number of rollouts that groups "
            "divide."
        )
    if settings.minibatches > settings.rollouts:
        raise TurnwiseError(
            f"--minibatches is {settings.minibatches}, and an iteration has {settings.rollouts} rollouts: give so many "
            "at most."
        )
    if settings.max_reply_tokens >= settings.max_length:
        raise TurnwiseError(
            f"--max-reply-tokens is {settings.max_reply_tokens}, and a dialogue has {settings.max_length} tokens at "
            "most: give fewer, or a larger --max-length."
        )


def _check_rewards(rewards: RewardSettings) -> None:
    for name in ("solved", "failed", "invalid"):
        if not abs(value := getattr(rewards, name)) <= _MOST_REWARD:
            raise TurnwiseError(
                f"--rewards {name} is {value:g}: give a number from {-_MOST_REWARD:g} to {_MOST_REWARD:g}."
            )
    if not rewards.failed < rewards.solved:
        raise TurnwiseError(
            f"--rewards gives solved {rewards.solved:g} and failed {rewards.failed:g}: give more for what is solved."
        )
    if rewards.invalid > 0:
        raise TurnwiseError(
            f"--rewards invalid is {rewards.invalid:g}, which would pay for turns without valid code: give 0 or less."
        )
    if rewards.invalid_is not in INVALID_IS:
        raise TurnwiseError(f"--rewards invalid_is is {rewards.invalid_is!r}: give {' or '.join(INVALID_IS)}.")


def _option(name: str) -> str:
    return f"--{_OPTIONS.get(name, name).replace('_', '-')}"
