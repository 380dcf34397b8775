"""Checkpoints of ``turnwise rlef``: whole or not there, told from damaged ones, and the same weights after any end."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from small_rlef import small_line, small_options, write_toy  # noqa: E402 - needs what is skipped for above
from tiny_model import make_tiny_model  # noqa: E402 - as above

from turnwise.commands.rlef import rlef_command  # noqa: E402 - as above
from turnwise.commands.trained import STOPPED  # noqa: E402 - as above
from turnwise.errors import InfrastructureError, TurnwiseError  # noqa: E402 - as above
from turnwise.records.rlef import RlefSettings  # noqa: E402 - as above
from turnwise.records.training import TRAINING, TrainedModel, checkpoints_in, read_trained_model  # noqa: E402 - as above
from turnwise.training.rlef.checkpoints import (  # noqa: E402 - as above
    STATE,
    SUMS,
    export_model,
    keep_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from turnwise.training.training_folder import remove_halves  # noqa: E402 - as above


class _Networks:
    """One weight, which is saved as a network's are."""

    def __init__(self, value: float) -> None:
        self.weight = torch.tensor([value])

    def save_policy(self, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(self.weight.numpy().tobytes())

    def state(self) -> dict[str, Any]:
        return {"policy.weight": self.weight}

    def load_state(self, state: dict[str, Any]) -> None:
        self.weight = state["policy.weight"]


class _Updater:
    """A number of updates."""

    def __init__(self, updates: int) -> None:
        self.updates = updates

    def state(self) -> dict[str, Any]:
        return {"updates": self.updates, "optimizers": {}}

    def load_state(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]


class _Tokenizer:
    """A tokenizer's files."""

    def save_pretrained(self, folder: Path) -> None:
        (folder / "tokenizer.json").write_text("{}")


def _trained(iteration: int) -> TrainedModel:
    return TrainedModel("0", "rlef", "m", "0" * 64, ("a_train",), (), RlefSettings(), iteration, "turnwise rlef")


def _save(output: Path, iteration: int) -> None:
    networks, updater = _Networks(float(iteration)), _Updater(4 * iteration)
    save_checkpoint(output, iteration, _trained(iteration), networks=networks, updater=updater, tokenizer=_Tokenizer())


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_checkpoint_gives_back_what_was_saved(tmp_path: Path) -> None:
    """Weights and the number of updates; the model that is made of it has neither the state nor its digests."""
    _save(tmp_path, 3)
    networks, updater = _Networks(0.0), _Updater(0)
    load_checkpoint(tmp_path, 3, networks=networks, updater=updater)
    assert networks.weight.tolist() == [3.0] and updater.updates == 12
    export_model(tmp_path, 3, tmp_path / "checkpoint", _trained(3))
    names = {path.name for path in (tmp_path / "checkpoint").iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", TRAINING}
    assert read_trained_model(tmp_path / "checkpoint") == _trained(3)


@pytest.mark.parametrize("name", [STATE, "model.safetensors", SUMS])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, name: str) -> None:
    """By its digests, or where they are not there; the sentence says which folder to remove."""
    _save(tmp_path, 1)
    path = tmp_path / "checkpoint-1" / name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    networks, updater = _Networks(0.0), _Updater(0)
    with pytest.raises(TurnwiseError, match=r"checkpoint-1.*cannot be read .*remove it, then run the same line again"):
        load_checkpoint(tmp_path, 1, networks=networks, updater=updater)
    assert networks.weight.tolist() == [0.0] and updater.updates == 0


def test_a_state_of_another_iteration_is_refused(tmp_path: Path) -> None:
    """A folder that was renamed would repeat what it holds."""
    _save(tmp_path, 1)
    (tmp_path / "checkpoint-1").rename(tmp_path / "checkpoint-2")
    with pytest.raises(TurnwiseError, match="it is of iteration 1"):
        load_checkpoint(tmp_path, 2, networks=_Networks(0.0), updater=_Updater(0))
    with pytest.raises(TurnwiseError, match="it is of iteration 1"):
        export_model(tmp_path, 2, tmp_path / "checkpoint", _trained(2))
    assert not (tmp_path / "checkpoint").exists()


def test_the_last_two_and_the_best_stay(tmp_path: Path) -> None:
    """Whichever the best is; halves of what a kill left are removed, and nothing else."""
    for iteration in (1, 2, 3, 4, 10):
        _save(tmp_path, iteration)
    keep_checkpoints(tmp_path, {2})
    assert checkpoints_in(tmp_path) == [2, 4, 10]
    (tmp_path / "checkpoint-4" / TRAINING).unlink()
    (tmp_path / ".checkpoint-11").mkdir()
    (tmp_path / "notes").mkdir()
    remove_halves(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-2", "notes"]


def test_a_full_disk_leaves_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is the machine's failure, in one sentence."""

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InfrastructureError, match=r"cannot be written.*make room, then run the same line again"):
        _save(tmp_path, 1)
    assert checkpoints_in(tmp_path) == []


@pytest.mark.parametrize(
    ("places", "statuses"),
    [
        pytest.param([0, 1], [-9, -9, 0], id="in rollouts and in saving"),
        pytest.param(list(range(7)), [-9, -9, 130, STOPPED, -9, -9, -9, 0], id="anywhere", marks=pytest.mark.long),
    ],
)
def test_killed_anywhere_it_ends_with_the_same_weights(tmp_path: Path, places: list[int], statuses: list[int]) -> None:
    """Killed within rollouts, updates and saving, the same line ends with the weights and log of one that never was."""
    model, problems = make_tiny_model(tmp_path / "model", context=2048), write_toy(tmp_path)
    whole, output = tmp_path / "whole", tmp_path / "out"
    environ = {**os.environ, "TURNWISE_CACHE": str(tmp_path / "cache")}
    rlef_command(small_options(model, problems, whole), environ=environ)
    (tmp_path / "places.json").write_text(json.dumps(places))
    program = Path(__file__).parents[1] / "killed_training.py"
    process = subprocess.run(
        [sys.executable, program, tmp_path, *small_line(model, problems, output)],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    assert json.loads((tmp_path / "statuses.json").read_text()) == statuses
    assert "Traceback" not in process.stderr
    assert "Goes on from checkpoint-1." in process.stdout
    if STOPPED in statuses:
        assert "turnwise: interrupted; run the same line again to go on." in process.stderr
        assert "Stopped after iteration 2 of 3: run the same line to go on." in process.stdout
        assert "Goes on from checkpoint-2." in process.stdout
    weights = [(folder / "checkpoint" / "model.safetensors").read_bytes() for folder in (whole, output)]
    assert len({hashlib.sha256(content).hexdigest() for content in weights}) == 1
    logs = [(folder / "iterations.jsonl").read_text().splitlines() for folder in (whole, output)]
    without_times = [[{**json.loads(line), "seconds": 0} for line in lines] for lines in logs]
    assert without_times[0] == without_times[1] and len(logs[0]) == 3
    assert checkpoints_in(output) == [2, 3]
    assert sorted(path.name for path in output.iterdir()) == sorted(path.name for path in whole.iterdir())
