"""What a training is estimated to take, against numbers worked out by hand; no model is made."""

from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.training import FineTuningSettings
from turnwise.training.base_model import ModelShape
from turnwise.training.fine_tuning.memory import estimate
from turnwise.training.fine_tuning.settings import rows_per_step
from turnwise.training.memory import Estimate, check_fits, is_sharded, size_of

# Llama 3.1 8B.
SHAPE = ModelShape(
    parameters=8_030_261_248, trained=8_030_261_248, layers=32, hidden=4096, intermediate=14_336, vocabulary=128_256
)
ADAPTERS = ModelShape(
    parameters=8_030_261_248, trained=83_886_080, layers=32, hidden=4096, intermediate=14_336, vocabulary=128_256
)


def _estimate(shape: ModelShape, settings: FineTuningSettings | None = None, **devices: Any) -> Estimate:
    settings = settings or FineTuningSettings()
    return estimate(shape, settings, longest=8192, most_labels=1500, tokens=285_000_000, **devices)


def test_all_weights_take_sixteen_bytes_each() -> None:
    """Weights, gradients and two moments in float32, and copies in bfloat16; activations by layer; logits of labels."""
    assert _estimate(SHAPE, FineTuningSettings(dtype="float32")).states == 16 * 8_030_261_248
    needed = _estimate(SHAPE)
    assert needed.states == 18 * 8_030_261_248
    assert needed.activations == 8192 * (4 * 4096 * 32 + 2 * (16 * 4096 + 6 * 14_336))
    assert needed.logits == 1500 * 128_256 * 6
    assert needed.memory == needed.states + needed.activations + needed.logits
    assert needed.disk == 3 * 12 * 8_030_261_248 + 2 * 8_030_261_248 + 8 * 285_000_000


def test_adapters_take_two_bytes_a_parameter_and_sixteen_a_trained_one() -> None:
    """The model itself stands there once, and only adapters have gradients, moments and checkpoints."""
    needed = _estimate(ADAPTERS)
    assert needed.states == 2 * 8_030_261_248 + 18 * 83_886_080
    assert needed.disk == 3 * 12 * 83_886_080 + 2 * 8_030_261_248 + 8 * 285_000_000
    assert _estimate(ADAPTERS, FineTuningSettings(dtype="float32")).states == 4 * 8_030_261_248 + 16 * 83_886_080


def test_rows_at_a_time_and_shards_count() -> None:
    """Activations and logits grow with a device's rows; FSDP and DeepSpeed divide what a device holds of states."""
    four = _estimate(SHAPE, FineTuningSettings(rows_per_device=4))
    assert four.activations == 4 * _estimate(SHAPE).activations and four.logits == 4 * _estimate(SHAPE).logits
    assert _estimate(SHAPE, processes=8).states == 22 * 8_030_261_248
    assert _estimate(SHAPE, processes=8, sharded=True).states == 18 * 8_030_261_248 // 8
    assert is_sharded({"ACCELERATE_USE_FSDP": "true"}) and is_sharded({"ACCELERATE_USE_DEEPSPEED": "true"})
    assert not is_sharded({"ACCELERATE_USE_FSDP": "false"}) and not is_sharded({})


def test_what_is_there_already_needs_no_room(tmp_path: Path) -> None:
    """Of a training that goes on, the checkpoints that stand there are not counted once more."""
    (tmp_path / "checkpoint-5").mkdir()
    (tmp_path / "checkpoint-5" / "model.safetensors").write_bytes(b"x" * 700)
    needed = Estimate(10, 10, 10, disk=1000)
    with pytest.raises(TurnwiseError, match="The checkpoints take about"):
        check_fits(needed, memory=30, disk=300, kept=0, output=tmp_path)
    check_fits(needed, memory=30, disk=300, kept=size_of(tmp_path), output=tmp_path)
    with pytest.raises(TurnwiseError, match="of a device's memory"):
        check_fits(needed, memory=29, disk=3000, kept=0, output=tmp_path)


@pytest.mark.parametrize(
    ("processes", "at_a_time", "rows"), [(1, 1, 295), (8, 1, 296), (8, 2, 288), (1, 4, 296), (64, 8, 512)]
)
def test_a_step_has_the_rows_that_hold_its_tokens(processes: int, at_a_time: int, rows: int) -> None:
    """The paper's 524,288 tokens are 295 of its dialogues, rounded to what all devices take at a time."""
    settings = FineTuningSettings(rows_per_device=at_a_time)
    assert rows_per_step(settings, rows=160_600, tokens=285_000_000, processes=processes) == rows
