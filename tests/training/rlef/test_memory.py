"""What a reinforcement learning is estimated to take, against numbers worked out by hand; no model is made."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.rlef import RlefSettings
from turnwise.training.base_model import ModelShape
from turnwise.training.memory import Estimate, check_fits
from turnwise.training.rlef.memory import SMALLER, estimate, has_gradient_checkpoints

# Qwen2.5 1.5B: keys and values of two heads of 128.
ALL = 1_543_714_304
SHAPE = ModelShape(
    parameters=ALL, trained=ALL, layers=28, hidden=1536, intermediate=8960, vocabulary=151_936, cached=512
)
ADAPTERS = dataclasses.replace(SHAPE, trained=18_464_768)


def needed(shape: ModelShape = SHAPE, device: str = "cuda", **given: Any) -> Estimate:
    """Return the estimate by the paper's settings, but for those ``given``."""
    names = {field.name for field in dataclasses.fields(RlefSettings)}
    settings = RlefSettings(**{name: value for name, value in given.items() if name in names})
    return estimate(
        shape, settings, device=device, **{name: value for name, value in given.items() if name not in names}
    )


def test_policy_critic_and_reference_take_thirty_four_bytes_a_parameter() -> None:
    """And two more while autocast keeps its copies; in float32 the reference takes four and there are no copies."""
    assert needed().states == (34 + 2) * ALL
    assert needed(dtype="float32").states == (32 + 4) * ALL
    assert needed(value="none").states == (16 + 2 + 2) * ALL
    assert needed(processes=8).states == 36 * ALL + 4 * 2**25


def test_adapters_take_two_models_and_no_reference() -> None:
    """Policy and critic are each a model in the type of training with adapters of their own."""
    assert needed(ADAPTERS).states == 2 * 2 * ALL + (32 + 2) * 18_464_768
    assert needed(ADAPTERS, value="none").states == 2 * ALL + (16 + 2) * 18_464_768


def test_activations_are_of_the_tokens_at_a_time_or_of_one_row() -> None:
    """Computed again on accelerators, all kept on a CPU and of small networks."""
    layer = 2 * (16 * 1536 + 6 * 8960)
    assert needed().activations == 16_384 * (4 * 1536 * 28 + layer)
    assert needed(tokens_at_a_time=100, max_length=4096).activations == 4096 * (4 * 1536 * 28 + layer)
    assert needed(device="cpu").activations == 16_384 * layer * 28
    assert has_gradient_checkpoints("cuda", 10**8) and not has_gradient_checkpoints("cuda", 10**7)
    assert not has_gradient_checkpoints("cpu", 10**9)


def test_logits_are_of_sampled_tokens() -> None:
    """Three replies of 1,024 tokens in rows of 8,192 are three eighths of what is read; all of it at most."""
    some = 16_384 * 3 // 8 * 151_936
    assert needed(max_reply_tokens=1024).logits == 4 * some + 8 * 2**26
    assert needed(max_reply_tokens=1024, turns=1).logits == 4 * some // 3 + 8 * 2**26
    assert needed(max_reply_tokens=8192).logits == 4 * 16_384 * 151_936 + 8 * 2**26


def test_rollouts_hold_keys_and_values_and_take_turns_with_updates() -> None:
    """What a device has to hold is the states and the larger of the two; an engine beside has weights of its own."""
    cache = 64 * 8192 * 28 * 512 * 2
    assert needed().rollouts == cache + 64 * 6144 * 2 * (4 * 1536 + 2 * 8960)
    assert needed(has_own_engine=True).rollouts == cache + 2 * ALL
    for estimated in (needed(), needed(rollout_batch=1)):
        assert estimated.memory == estimated.states + max(estimated.activations + estimated.logits, estimated.rollouts)
    assert needed().memory > needed(rollout_batch=1).memory


def test_the_disk_holds_four_checkpoints_and_the_policy() -> None:
    """Weights and moments of both networks, and the policy as a model."""
    assert needed().disk == 4 * (24 + 2) * ALL + 2 * ALL
    assert needed(ADAPTERS).disk == 4 * (24 * 18_464_768 + 2 * ALL) + 2 * ALL
    assert needed(has_own_engine=True).disk == needed().disk + 2 * ALL


def test_what_does_not_fit_is_told_with_what_takes_less(tmp_path: Path) -> None:
    """The remedy names the options of this training."""
    with pytest.raises(TurnwiseError, match="give --lora RANK, fewer --tokens-at-a-time or --rollout-batch, or more"):
        check_fits(needed(), memory=10**9, disk=10**15, kept=0, output=tmp_path, smaller=SMALLER)
