"""``turnwise rft`` with a tiny model: what a step learns, what is kept, what is refused.

Most tests share this process, in which torch and trl take seconds to be imported.
"""

import gzip
import hashlib
import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")
for _package in ("trl", "peft"):
    pytest.importorskip(_package, reason=f"{_package} is not installed: pip install 'turnwise[train]'")

from tiny_model import make_tiny_model  # noqa: E402 - needs what is skipped for above
from training_data import make_rows, write_data  # noqa: E402 - as above

from turnwise.commands.rft import plan_job, rft_command, train_job, training_of  # noqa: E402 - as above
from turnwise.commands.trained import STOPPED, Trained  # noqa: E402 - as above
from turnwise.commands.training_options import RftOptions  # noqa: E402 - as above
from turnwise.errors import InfrastructureError, MissingExtraError, TurnwiseError  # noqa: E402 - as above
from turnwise.records.choices import BackEndName, TrainingProfile, TrainingType  # noqa: E402 - as above
from turnwise.records.settings import Sampling  # noqa: E402 - as above
from turnwise.records.training import (  # noqa: E402 - as above
    REPORT,
    TOKENS,
    FineTuningSettings,
    RunSource,
    TokenizerRecord,
    TrainedModel,
    checkpoints_in,
    read_fine_tuning,
    read_report,
    read_trained_model,
    write_fine_tuning,
    write_report,
    write_trained_model,
)
from turnwise.runners.models.hf import HFEngine, HFOptions  # noqa: E402 - as above
from turnwise.training.fine_tuning.progress import read_progress  # noqa: E402 - as above
from turnwise.training.fine_tuning.token_file import row_order, write_rows  # noqa: E402 - as above
from turnwise.training.fine_tuning.training import check, train  # noqa: E402 - as above
from turnwise.training.tokenizer import open_tokenizer, tokenizer_record  # noqa: E402 - as above

ROWS = make_rows(10)
_OF_TWO = {"WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
TOKENS_A_ROW = sum(len(ids) for ids, _ in ROWS) / len(ROWS)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"), context=64)


@pytest.fixture(scope="module")
def data(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training data of ten rows, of the model's tokenizer."""
    record = tokenizer_record(open_tokenizer(str(model)), str(model))
    return write_data(tmp_path_factory.mktemp("data"), record, ROWS)


@pytest.fixture(scope="module")
def trained(model: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of six steps of three rows that nothing interrupted."""
    output = tmp_path_factory.mktemp("trained") / "out"
    rft_command(data, _options(model, output), environ={})
    return output


def _options(model: Path, output: Path, *, rows: int = 3, **more: Any) -> RftOptions:
    """Return options of six steps of so many rows, with a checkpoint after every second."""
    given: dict[str, Any] = {
        "steps": 6,
        "tokens_per_step": round(rows * TOKENS_A_ROW),
        "learning_rate": 1e-2,
        "warmup_steps": 1,
        "save_steps": 2,
    }
    arguments = f"model={model},dtype=float32,device=cpu"
    return RftOptions(model=BackEndName.HF, model_args=arguments, output_path=output, **(given | more))


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def _log(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (output / "log.jsonl").read_text().splitlines()]


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*") if path.is_file()}


def test_a_step_does_what_is_worked_out_by_hand(model: Path, data: Path, tmp_path: Path) -> None:
    """A step's loss is the mean over all labels of its rows, and its update AdamW's of that loss's gradient.

    However many rows are taken at a time.
    """
    from transformers import AutoModelForCausalLM

    rate = 1e-3
    options = {"rows": 4, "steps": 1, "learning_rate": rate, "warmup_steps": 0, "final_rate": 1.0}
    outputs = {}
    for at_a_time in (1, 2, 4):
        output = outputs[at_a_time] = tmp_path / str(at_a_time)
        rft_command(data, _options(model, output, rows_per_device=at_a_time, **options), environ={})

    by_hand = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    order = row_order(len(ROWS), needed=4, seed=0)
    losses = []
    for number in order:
        ids, labels = (torch.tensor([part]) for part in ROWS[number])
        logits = by_hand(input_ids=ids).logits[:, :-1].log_softmax(-1)
        learnt = labels[:, 1:] != -100
        losses.append(-logits.gather(2, ids[:, 1:, None]).squeeze(2)[learnt])
    loss = torch.cat(losses).mean()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(by_hand.parameters(), 1.0)
    torch.optim.AdamW(by_hand.parameters(), lr=rate, weight_decay=0.0).step()
    expected = dict(by_hand.named_parameters())
    for output in outputs.values():
        (line,) = _log(output)
        assert line["loss"] == pytest.approx(loss.item(), rel=1e-5)
        assert line["gradient_norm"] == pytest.approx(norm.item(), rel=1e-4)
        assert line["labels"] == sum(len(one) for one in losses)
        for name, weight in _weights(output / "checkpoint").items():
            # The first step of Adam is the sign of a gradient, which for the least of them is a matter of rounding.
            assert (weight - expected[name]).abs().mean() < 1e-2 * rate, name


def test_equal_lines_make_equal_weights(model: Path, data: Path, trained: Path, tmp_path: Path) -> None:
    """On one thread the same line gives the same bytes of weights."""
    rft_command(data, _options(model, tmp_path / "again"), environ={})
    assert _digest(tmp_path / "again" / "checkpoint") == _digest(trained / "checkpoint")


def test_every_epoch_has_every_row_once() -> None:
    """The order of the rows is a function of the seed, and none comes again before all have come."""
    order = row_order(7, needed=17, seed=3)
    assert sorted(order[:7]) == sorted(order[7:14]) == list(range(7))
    assert list(order[:7]) != list(order[7:14])
    assert list(order) == list(row_order(7, needed=17, seed=3)) != list(row_order(7, needed=17, seed=4))


def test_what_a_step_was_stands_in_the_log(trained: Path) -> None:
    """The log has a line for each step, with the tokens of its rows, and the rate rises, then falls to its share."""
    lines = _log(trained)
    order = row_order(len(ROWS), needed=18, seed=0)
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5, 6]
    for number, line in enumerate(lines):
        rows = [ROWS[one] for one in order[3 * number : 3 * number + 3]]
        assert line["tokens"] == sum(len(ids) for ids, _ in rows)
        assert line["labels"] == sum(label != -100 for _, labels in rows for label in labels)
        assert set(line) == {"step", "loss", "learning_rate", "tokens", "labels", "gradient_norm", "seconds"}
    rates = [line["learning_rate"] for line in lines]
    expected = [0.0, *(1e-2 * (0.1 + 0.9 * (1 + math.cos(math.pi * step / 5)) / 2) for step in range(5))]
    assert rates == pytest.approx(expected)
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_the_model_is_whole_and_answers(model: Path, data: Path, trained: Path) -> None:
    """OUT/checkpoint has weights, the base's tokenizer with its template, and says how it was trained."""
    folder = trained / "checkpoint"
    engine = HFEngine.load(HFOptions(str(folder), device="cpu"), Sampling(max_tokens=4))
    assert engine.template is not None
    assert _weights(folder).keys() == _weights(model).keys()
    assert next(iter(_weights(folder).values())).dtype == torch.float32
    assert (
        tokenizer_record(open_tokenizer(str(folder)), "").sha256
        == tokenizer_record(open_tokenizer(str(model)), "").sha256
    )
    for name in ("config.json", "generation_config.json"):
        there, here = (json.loads((one / name).read_text()) for one in (model, folder))
        assert {key: value for key, value in there.items() if here.get(key) != value} == {}
    said = read_trained_model(folder)
    assert said is not None
    assert (said.method, said.step, said.base_model, said.train_on_test) == ("rft", 6, str(model), ())
    assert said.tasks == ("codecontests_train_multiturn",)
    assert said.data_sha256 == hashlib.sha256((data / REPORT).read_bytes()).hexdigest()
    assert checkpoints_in(trained) == [4, 6]
    assert not (trained / "rows.arrow").exists()


def test_a_finished_training_is_left_as_it_is(model: Path, data: Path, trained: Path) -> None:
    """The same line once more says that it is done, and changes no file."""
    before = _files(trained)
    again = rft_command(data, _options(model, trained), environ={})
    assert again == Trained(f"The model is trained: {trained / 'checkpoint'} already; nothing was changed.")
    assert _files(trained) == before


def test_another_training_is_refused_in_the_same_folder(model: Path, data: Path, trained: Path, tmp_path: Path) -> None:
    """Other settings, data or models are refused, naming the first difference; the same model elsewhere is not."""
    before = _files(trained)
    with pytest.raises(TurnwiseError, match=r"another training \(settings seed: 0 there, 5 here\)"):
        rft_command(data, _options(model, trained, seed=5), environ={})
    other = shutil.copytree(model, tmp_path / "model")
    assert "already" in rft_command(data, _options(other, trained), environ={}).text
    torch.manual_seed(1)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 65}))
    with pytest.raises(TurnwiseError, match=r"another training .model digest: "):
        rft_command(data, _options(other, trained), environ={})
    changed = shutil.copytree(data, tmp_path / "data")
    report = json.loads((changed / REPORT).read_text())
    (changed / REPORT).write_text(json.dumps(report | {"command": "another"}))
    with pytest.raises(TurnwiseError, match=r"another training .data_sha256: "):
        rft_command(changed, _options(model, trained), environ={})
    assert _files(trained) == before


def test_told_to_stop_it_saves_and_goes_on_later(model: Path, data: Path, trained: Path, tmp_path: Path) -> None:
    """Whoever calls says when to stop: the step is finished and saved, and the rest makes the same weights."""
    options = _options(model, tmp_path / "out", save_steps=50)
    plan = training_of(data, options, command="").plan({})
    steps: list[int] = []

    def on_progress(_: str, done: int, __: int) -> None:
        steps.append(done)

    checked = check(plan)
    assert not train(plan, checked, stop=lambda: steps[-1] >= 2, on_progress=on_progress)
    assert checkpoints_in(plan.output) == [3]
    assert not plan.is_done
    assert train(plan, checked, on_progress=on_progress)
    assert steps == [0, 1, 2, 3, 3, 4, 5, 6]
    assert _digest(plan.checkpoint) == _digest(trained / "checkpoint")
    assert [line["step"] for line in _log(plan.output)] == [1, 2, 3, 4, 5, 6]


def test_a_job_is_planned_elsewhere_and_goes_on_when_it_was_told_to_stop(
    model: Path, data: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Planned for two accelerators where there is none, whose memory nobody knows; told to stop, it ends with 75."""
    arguments = f"model={model},dtype=float32,device=cuda"
    elsewhere = replace(_options(model, tmp_path / "out", rows=4), model_args=arguments)
    planned = plan_job(data, elsewhere, command="", environ={}, processes=2)
    assert planned.steps == 6 and list(planned.models) == [(str(model), None)]
    said = "\n".join(planned.lines)
    assert "2 devices" in said and "Disk: about" in said and said.count("free") == 1 and not (tmp_path / "out").exists()
    options = _options(model, tmp_path / "out", save_steps=50)
    assert train_job(data, options, command="turnwise rft", environ={}, stop=lambda: True) == STOPPED
    assert checkpoints_in(tmp_path / "out") == [1]
    assert train_job(data, options, command="turnwise rft", environ={}, stop=lambda: False) == 0
    assert "The model is trained" in capsys.readouterr().out
    assert _digest(tmp_path / "out" / "checkpoint") == _digest(trained / "checkpoint")
    refused = replace(options, max_length=12)
    with pytest.raises(TurnwiseError, match="holds another training"):
        plan_job(data, refused, command="", environ={}, processes=1)
    refused = replace(refused, output_path=tmp_path / "other")
    with pytest.raises(TurnwiseError, match="above --max-length 12"):
        plan_job(data, refused, command="", environ={}, processes=1)


def test_killed_anywhere_it_ends_with_the_same_weights(model: Path, data: Path, trained: Path, tmp_path: Path) -> None:
    """Killed seven times, also while it saves, the same line ends with the weights and log of one that never was."""
    output = tmp_path / "out"
    arguments = ["rft", data, "-M", "hf", "-a", f"model={model},dtype=float32,device=cpu", "-o", output, "--steps", 6]
    arguments += ["--tokens-per-step", round(3 * TOKENS_A_ROW), "--learning-rate", 1e-2]
    arguments += ["--warmup-steps", 1, "--save-steps", 2]
    program = Path(__file__).with_name("killed_training.py")
    process = subprocess.run(
        [sys.executable, program, tmp_path, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    assert json.loads((tmp_path / "statuses.json").read_text()) == [-9, -9, -9, 130, STOPPED, -9, -9, 0]
    assert "Traceback" not in process.stderr
    assert "turnwise: interrupted; run the same line again to go on." in process.stderr
    assert "Stopped after step 4 of 6: run the same line to go on." in process.stdout
    assert "Goes on from checkpoint-4." in process.stdout
    assert _digest(output / "checkpoint") == _digest(trained / "checkpoint")
    without_times = [[{**line, "seconds": 0} for line in _log(folder)] for folder in (output, trained)]
    assert without_times[0] == without_times[1]
    assert checkpoints_in(output) == [4, 6]
    assert sorted(path.name for path in output.iterdir()) == sorted(path.name for path in trained.iterdir())


def test_adapters_are_merged(model: Path, data: Path, tmp_path: Path) -> None:
    """With --lora the model that is made is whole: the base's weights and what the adapters add to them."""
    from safetensors.torch import load_file

    output = tmp_path / "out"
    options = _options(model, output, lora=4, steps=2, save_steps=1)
    rft_command(data, options, environ={})
    merged, base = _weights(output / "checkpoint"), _weights(model)
    adapters = load_file(output / "checkpoint-2" / "adapter_model.safetensors")
    assert merged.keys() == base.keys()
    changed = 0
    for name, weight in merged.items():
        stem = f"base_model.model.{name.removesuffix('.weight')}"
        delta = 0
        if (down := adapters.get(f"{stem}.lora_A.weight")) is not None:
            delta = 2 * adapters[f"{stem}.lora_B.weight"] @ down
            changed += 1
        assert torch.allclose(weight, base[name] + delta, atol=1e-6), name
    assert changed == 14  # seven of each layer
    assert not (output / "checkpoint" / "adapter_config.json").exists()
    assert checkpoints_in(output) == [1, 2]

    plan = training_of(data, replace(options, output_path=tmp_path / "stopped"), command="").plan({})
    for is_told in (True, False):
        train(plan, check(plan), stop=lambda is_told=is_told: is_told, on_progress=lambda *_: None)  # type: ignore[misc]  # bound as it is now
    assert _digest(plan.checkpoint) == _digest(output / "checkpoint")


def test_bfloat16_keeps_weights_in_float32_while_it_trains(model: Path, data: Path, tmp_path: Path) -> None:
    """Small updates are not lost: what is trained is float32, and the model that is made has the type asked for."""
    output = tmp_path / "out"
    options = replace(
        _options(model, output, steps=1, warmup_steps=0, learning_rate=1e-6),
        model_args=f"model={model},device=cpu",
        dtype=TrainingType.BFLOAT16,
    )
    rft_command(data, options, environ={})
    kept, base = _weights(output / "checkpoint-1"), _weights(model)
    assert {one.dtype for one in kept.values()} == {torch.float32}
    assert any((kept[name] != base[name]).any() for name in base)
    assert {one.dtype for one in _weights(output / "checkpoint").values()} == {torch.bfloat16}


def test_whoever_may_read_the_folder_may_read_the_weights(trained: Path) -> None:
    """The weights have the rights of the files beside them."""
    modes = {path.stat().st_mode & 0o777 for path in (trained / "checkpoint").iterdir()}
    assert len(modes) == 1


def test_a_model_trained_on_tests_says_so_by_its_name(model: Path, tmp_path: Path) -> None:
    """Where the data hold tests, the folder's name, training.json and what is printed say so."""
    record = tokenizer_record(open_tokenizer(str(model)), str(model))
    data = write_data(tmp_path / "data", record, ROWS, train_on_test=("codecontests_multiturn",))
    output = tmp_path / "out"
    said = rft_command(data, _options(model, output, steps=1, warmup_steps=0), environ={})
    assert not (output / "checkpoint").exists()
    trained = read_trained_model(output / "checkpoint-trained-on-test")
    assert trained is not None and trained.train_on_test == ("codecontests_multiturn",)
    assert "checkpoint-trained-on-test" in said.text


def test_what_was_once_trained_on_a_test_stays_so(model: Path, tmp_path: Path) -> None:
    """A model that begins as such a one, or learns from the answers of such a one, says so, too."""
    record = tokenizer_record(open_tokenizer(str(model)), str(model))
    shutil.copytree(model, tmp_path / "tuned")
    trained = TrainedModel(
        "0", "rft", "m", "0" * 64, ("a_train",), ("a_test",), FineTuningSettings(), 1, "turnwise rft"
    )
    write_trained_model(tmp_path / "tuned", trained)
    clean = write_data(tmp_path / "clean", record, ROWS)
    plan = training_of(clean, _options(tmp_path / "tuned", tmp_path / "out"), command="").plan({})
    said = plan.trained_model(1)
    assert said.train_on_test == ("a_test",) and said.tasks == ("a_train", "codecontests_train_multiturn")
    assert plan.checkpoint.name == "checkpoint-trained-on-test"

    teacher = RunSource("run", {"model": "m", "trained_on_test": "b_test,c_test"}, "0" * 64, "0" * 64, "0" * 64)
    taught = write_data(tmp_path / "taught", record, ROWS, train_on_test=("c_test",))
    write_report(taught, replace(read_report(taught), runs=(teacher,)))
    plan = training_of(taught, _options(model, tmp_path / "other"), command="").plan({})
    assert plan.trained_model(1).train_on_test == ("b_test", "c_test")


def test_a_dry_run_says_what_it_would_be_and_writes_nothing(model: Path, data: Path, tmp_path: Path) -> None:
    """--dry-run says rows, tokens, steps, epochs, parameters, memory and disk."""
    output = tmp_path / "out"
    said = rft_command(data, _options(model, output, rows=4, dry_run=True), environ=_OF_TWO).text
    tokens = sum(len(ids) for ids, _ in ROWS)
    learnt = sum(label != -100 for _, labels in ROWS for label in labels)
    assert f"Data: 10 dialogues, {tokens} tokens, {learnt} of them to learn" in said
    assert "Steps: 6 of 4 dialogues" in said and "2.40 epochs; 2 devices, 2 x 1 dialogue(s) a step" in said
    assert "Parameters: 115,520, all trained, float32." in said
    assert "Memory: about" in said and "Disk: about" in said
    assert not output.exists() and "never comes to its peak" not in said
    late = _options(model, output, warmup_steps=6, dry_run=True)
    assert "rises over 6 steps, and there are 6: it never comes to its peak" in rft_command(data, late, environ={}).text


def test_profiles_and_epochs_decide_the_steps(model: Path, data: Path, tmp_path: Path) -> None:
    """zheng-rft has the paper's numbers, small trains adapters for an epoch, and options go before both."""
    options = RftOptions(model=BackEndName.HF, model_args=f"model={model}", output_path=tmp_path / "out")
    paper = training_of(data, options, command="").plan({}).settings
    assert (paper.learning_rate, paper.steps, paper.max_length, paper.tokens_per_step) == (2e-6, 545, 8192, 524_288)
    assert (paper.warmup_steps, paper.final_rate, paper.lora_rank, paper.dtype) == (10, 0.1, 0, "bfloat16")
    small = replace(options, profile=TrainingProfile.SMALL, tokens_per_step=round(TOKENS_A_ROW))
    plan = training_of(data, small, command="").plan({})
    assert (plan.settings.lora_rank, plan.settings.steps, plan.epochs) == (32, 10, 1.0)
    assert training_of(data, replace(small, epochs=2.5), command="").plan({}).settings.steps == 25
    few = training_of(data, replace(options, profile=TrainingProfile.SMALL, epochs=3.0), command="").plan({})
    assert (few.record.rows_per_step, few.settings.steps, few.epochs) == (len(ROWS), 3, 3.0)
    assert training_of(data, replace(small, steps=7, lora=0), command="").plan({}).settings.steps == 7


def test_a_loss_that_is_no_number_ends_it(model: Path, data: Path, tmp_path: Path) -> None:
    """A step whose loss is not finite is named, and the checkpoint before it stands."""
    broken = shutil.copytree(model, tmp_path / "model")
    options = _options(broken, tmp_path / "out", learning_rate=1e25, save_steps=1)
    with pytest.raises(TurnwiseError, match=r"of step \d is (nan|inf), so training stopped"):
        rft_command(data, options, environ={})
    assert not (tmp_path / "out" / "checkpoint").exists()
    steps = checkpoints_in(tmp_path / "out")
    assert all(math.isfinite(line["loss"]) for line in _log(tmp_path / "out"))
    assert steps == [line["step"] for line in _log(tmp_path / "out")][-2:]


def test_nothing_but_its_own_lines_is_printed(
    model: Path, data: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Standard output has the plan; what libraries print and warn of stays away from both streams."""
    rft_command(data, _options(model, tmp_path / "out", steps=1, warmup_steps=0), environ={})
    out, err = capfd.readouterr()
    assert [line.partition(":")[0] for line in out.splitlines()] == ["Data", "Steps", "Parameters", "Memory", "Disk"]
    assert [line.partition(" ")[2] for line in err.splitlines()] == ["steps 1/1"]


def _without_tokens(data: Path) -> None:
    report = json.loads((data / REPORT).read_text())
    (data / REPORT).write_text(json.dumps(report | {"files": {}, "tokenizer": None}))


def _with_another_row(data: Path) -> None:
    lines = gzip.decompress((data / TOKENS).read_bytes()) + b'{"input_ids": [1, 2], "labels": [1, 2]}\n'
    (data / TOKENS).write_bytes(gzip.compress(lines, mtime=0))


def _with_row(row: object) -> Any:
    def damage(data: Path) -> None:
        (data / TOKENS).write_bytes(gzip.compress(json.dumps(row).encode() + b"\n", mtime=0))
        _count(data, rows=1, tokens=2, labels=1)

    return damage


def _cut(data: Path) -> None:
    (data / TOKENS).write_bytes((data / TOKENS).read_bytes()[:-20])
    _count(data)


def _count(data: Path, **counts: int) -> None:
    """Let the report count what is there, so that only the rows can tell."""
    report = json.loads((data / REPORT).read_text())
    digest = hashlib.sha256((data / TOKENS).read_bytes()).hexdigest()
    report["files"][TOKENS] |= {"sha256": digest, **counts}
    (data / REPORT).write_text(json.dumps(report))


def _no_configuration(model: Path) -> None:
    (model / "config.json").unlink()


def _another_kind(model: Path) -> None:
    (model / "config.json").write_text('{"model_type": "unheard of"}')


def _no_model_at_all(model: Path) -> None:
    shutil.rmtree(model)


def _no_weights(model: Path) -> None:
    (model / "model.safetensors").unlink()


def _cut_weights(model: Path) -> None:
    (model / "model.safetensors").write_bytes((model / "model.safetensors").read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_no_configuration, "the folder holds no config.json"),
        (_another_kind, "unheard of"),
        (lambda model: (model / "config.json").write_text("[]"), ""),
        (lambda model: (model / "tokenizer.json").write_text("{}"), ""),
        (_no_model_at_all, "model"),
        (_no_weights, "the folder holds no weights"),
        (_cut_weights, "model.safetensors: "),
    ],
)
def test_a_model_that_cannot_be_loaded_is_refused(
    model: Path, data: Path, tmp_path: Path, damage: Any, reason: str
) -> None:
    """A model that is not there, not whole, or of an unknown kind is named before anything is written."""
    copy = shutil.copytree(model, tmp_path / "model")
    damage(copy)
    with pytest.raises(TurnwiseError, match=rf"{copy}' cannot be loaded \(.*{reason}") as refused:
        rft_command(data, _options(copy, tmp_path / "out"), environ={})
    assert refused.value.exit_status == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: shutil.rmtree(data), "holds no training data, since there is no report.json"),
        (lambda data: (data / REPORT).write_text("{"), "report.json' cannot be read"),
        (_without_tokens, "hold no tokens: make them with turnwise rft-data RUN... -o DIR --tokenizer MODEL"),
        (lambda data: (data / TOKENS).unlink(), "there is no such file"),
        (_with_another_row, "its sha256 is not"),
        (_cut, "line [0-9]+: it is cut off or no row"),
        (lambda data: _count(data, rows=11), "its rows, tokens or labels are not as many as the report says"),
        (lambda data: _count(data, rows=9), "more than the 9 rows of the report"),
        (lambda data: _count(data, rows=10**12, tokens=10**12), "are not as many as the report says"),
        (_with_row({"input_ids": [1, 2]}), "line 1: it is cut off or no row"),
        (_with_row({"input_ids": [1, 2], "labels": [1]}), "no two lists of whole numbers, equally long"),
        (_with_row({"input_ids": [1, -2], "labels": [1, -2]}), "it has an id that no token has"),
        (_with_row({"input_ids": [1, 2], "labels": [1, 3]}), "its labels are neither its ids nor -100"),
        (_with_row({"input_ids": [1, 2], "labels": [-100, -100]}), "or it has nothing to learn"),
        (_with_row({"input_ids": [[1], [2, 3]], "labels": [1, 2]}), "cut off or no row"),
        (_with_row({"input_ids": [1, 5000], "labels": [1, -100]}), "knows 260 tokens, and the data have token 5,000"),
    ],
)
def test_damaged_data_are_refused(model: Path, data: Path, tmp_path: Path, damage: Any, sentence: str) -> None:
    """Data that are not there, cut off or not what their report says are refused, and nothing is written."""
    copy = shutil.copytree(data, tmp_path / "data")
    damage(copy)
    with pytest.raises(TurnwiseError, match=sentence) as refused:
        rft_command(copy, _options(model, tmp_path / "out"), environ={})
    assert refused.value.exit_status == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"steps": 0}, "--steps is 0: give a whole number from 1"),
        ({"steps": 1}, "1 step, and the first of 1 warm-up steps has the rate 0.*: give --warmup-steps 0"),
        ({"steps": None, "epochs": 0.0}, "--epochs is 0: give a number above 0"),
        ({"epochs": 1.0}, "--steps and --epochs both say how long"),
        ({"learning_rate": math.nan}, "--learning-rate is nan: give a number above 0"),
        ({"lora": -1}, "--lora is -1: give a whole number from 0"),
        ({"rows_per_device": 0}, "--rows-per-device is 0"),
        ({"tokens_per_step": 0}, "--tokens-per-step is 0"),
        ({"final_rate": 2.0}, "--final-rate is 2: give a share of the peak"),
        ({"max_length": 12}, r"tokens, above --max-length 12, and none is cut"),
        ({"steps": 545, "tokens_per_step": 524_288}, "are 2,249,924 epochs of the 10 that there are"),
        ({"model_args": "model=x,device=tpu"}, "--model_args device is 'tpu': it has to be '', 'cpu' or 'cuda'"),
        ({"model": BackEndName.VLLM}, "-M vllm cannot be trained: give -M hf"),
        ({"model": None}, "turnwise rft needs a model: give -M hf"),
        ({"output_path": None}, "turnwise rft needs --output_path"),
        ({"model_args": "dtype=float32"}, "--model hf needs -a model=NAME_OR_FOLDER"),
        ({"model_args": "model=x,speed=1"}, "--model_args 'speed' is unknown"),
        ({"model_args": "model=x,dtype=float16"}, "-a dtype= is 'float16': give one of bfloat16, float32"),
        ({"model_args": "model=x,dtype=float32", "dtype": TrainingType.BFLOAT16}, "--dtype is bfloat16, and -a dtype="),
    ],
)
def test_options_that_cannot_be_are_refused(
    model: Path, data: Path, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    """A number or a model that no training can have is named with its remedy, and nothing is written."""
    with pytest.raises(TurnwiseError, match=sentence) as refused:
        rft_command(data, replace(_options(model, tmp_path / "out"), **options), environ={})
    assert refused.value.exit_status == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two', and accelerate launch sets a whole number: unset it"),
        ({"RANK": "-1"}, "RANK is '-1'"),
        ({"RANK": "1"}, "RANK is 1, and WORLD_SIZE is 1: unset both"),
        ({"WORLD_SIZE": "2", "LOCAL_RANK": "0"}, "WORLD_SIZE is 2, and MASTER_ADDR is not set: unset WORLD_SIZE"),
        ({"LOCAL_WORLD_SIZE": "all"}, "LOCAL_WORLD_SIZE is 'all'"),
    ],
)
def test_an_environment_of_no_launcher_is_refused(
    model: Path, data: Path, tmp_path: Path, environ: dict[str, str], sentence: str
) -> None:
    """What a job script left in the variables of a launcher is named, and nothing is written."""
    with pytest.raises(TurnwiseError, match=sentence) as refused:
        rft_command(data, _options(model, tmp_path / "out"), environ=environ)
    assert refused.value.exit_status == 2
    assert not (tmp_path / "out").exists()


def test_a_model_gets_a_folder_of_its_own(model: Path, data: Path, tmp_path: Path) -> None:
    """The folder of the data is no place for a model, by whichever path it is named."""
    copy = shutil.copytree(data, tmp_path / "data")
    before = _files(copy)
    with pytest.raises(TurnwiseError, match="is the folder of the data"):
        rft_command(copy, _options(model, tmp_path / "other" / ".." / "data"), environ={})
    assert _files(copy) == before


def test_what_is_refused_ends_with_a_sentence_and_status_2(tmp_path: Path) -> None:
    """On the command line, too, and without waiting for what takes seconds to be imported."""
    line = ["rft", tmp_path / "nothing", "-M", "hf", "-a", "model=m", "-o", tmp_path / "out"]
    process = subprocess.run([sys.executable, "-m", "turnwise", *line], capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("turnwise: ") and process.stderr.count("\n") == 1
    assert "holds no training data" in process.stderr


def test_another_tokenizer_is_refused(model: Path, data: Path, tmp_path: Path) -> None:
    """A model whose tokenizer is not that of the data is refused, and both are named."""
    other = make_tiny_model(tmp_path / "other", template="{% for m in messages %}{{ m.content }}{% endfor %}")
    with pytest.raises(TurnwiseError, match=f"made with the tokenizer '{model}'.*that of the model is '{other}'"):
        rft_command(data, _options(other, tmp_path / "out"), environ={})
    assert not (tmp_path / "out").exists()


def test_names_of_somebody_elses_data_are_short_and_printable(model: Path, tmp_path: Path) -> None:
    """A report's tokenizer that does not fit is named without its control characters, and cut."""
    data = write_data(tmp_path / "data", TokenizerRecord("x" * 100_000, "\x1b[31m" + "a" * 60), ROWS)
    with pytest.raises(TurnwiseError, match="made with the tokenizer 'xxx") as refused:
        rft_command(data, _options(model, tmp_path / "out"), environ={})
    assert str(refused.value).isprintable() and len(str(refused.value)) < 1000


def test_weights_of_another_size_are_refused(model: Path, data: Path, tmp_path: Path) -> None:
    """Weights that are not of the size that the configuration says end with a sentence."""
    copy = shutil.copytree(model, tmp_path / "model")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"intermediate_size": 2 * config["intermediate_size"]}))
    with pytest.raises(TurnwiseError, match="cannot be loaded"):
        rft_command(data, _options(copy, tmp_path / "out"), environ={})


def test_what_reads_less_than_a_row_is_refused(model: Path, tmp_path: Path) -> None:
    """A model whose context is shorter than the longest row is refused."""
    record = tokenizer_record(open_tokenizer(str(model)), str(model))
    data = write_data(tmp_path / "data", record, make_rows(2, shortest=70, longest=80))
    with pytest.raises(TurnwiseError, match="reads 64 tokens, and the longest dialogue has 7"):
        rft_command(data, _options(model, tmp_path / "out"), environ={})


def test_too_little_memory_or_disk_is_refused_before_weights_are_loaded(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot fit is said in numbers, with what would help; the weights are not even read."""
    from safetensors.torch import save_file

    from turnwise.training.fine_tuning import training as fine_tuning

    bare = shutil.copytree(model, tmp_path / "model")
    save_file({"another": torch.zeros(1)}, bare / "model.safetensors")
    with monkeypatch.context() as patched:
        patched.setattr(fine_tuning, "device_memory", lambda *_: 10**6)
        with pytest.raises(TurnwiseError, match=r"takes about 0.00\d GB of a device's memory, and 0.001 GB are free"):
            rft_command(data, _options(bare, tmp_path / "out"), environ={})
    with monkeypatch.context() as patched:
        patched.setattr(fine_tuning, "free_disk", lambda _: 10**6)
        with pytest.raises(TurnwiseError, match=r"checkpoints take about 0.00\d GB, and .* has 0.001 GB free") as told:
            rft_command(data, _options(bare, tmp_path / "out"), environ={})
    assert told.value.exit_status == 2
    assert not (tmp_path / "out").exists()


def test_accelerators_that_cannot_be_used_are_refused(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is not there, and several where one process is to train: accelerate launch is named."""
    options = replace(_options(model, tmp_path / "out"), model_args=f"model={model},device=cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(TurnwiseError, match="device=cuda, and no accelerator is here"):
        rft_command(data, options, environ={})
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 8)
    with pytest.raises(TurnwiseError, match="by accelerate launch --num_processes 8 -m turnwise rft"):
        rft_command(data, options, environ={})


def test_without_trl_its_extra_is_named(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where trl is not installed, what to install is said."""
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "trl" else real(name))
    with pytest.raises(MissingExtraError, match=r"needs the package trl: run pip install 'turnwise\[train\]'"):
        rft_command(data, _options(model, tmp_path / "out"), environ={})


def test_a_full_disk_is_said_in_a_sentence(
    model: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint that the disk cannot take ends training with a sentence, in whichever words a library says it."""

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InfrastructureError, match=r"A checkpoint cannot be written to .*: make room"):
        rft_command(data, _options(model, tmp_path / "out"), environ={})
    assert checkpoints_in(tmp_path / "out") == []


def test_a_folder_in_use_is_refused(model: Path, data: Path, tmp_path: Path) -> None:
    """Two trainings do not write to one folder at a time."""
    from turnwise.locks import Lock

    output = tmp_path / "out"
    output.mkdir()
    lock = Lock(output / "rft.lock")
    try:
        with pytest.raises(TurnwiseError, match="Another process trains in the folder"):
            rft_command(data, _options(model, output), environ={})
    finally:
        lock.release()
    assert read_fine_tuning(output) is None


def _launch(data: Path, model: Path, output: Path, **options: object) -> "subprocess.CompletedProcess[str]":
    """Train by two processes, started as accelerate launch starts those of GPUs, in six steps of four rows."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    launch += ["-m", "turnwise", "rft", str(data), "-o", str(output)]
    launch += ["-M", "hf", "-a", f"model={model},dtype=float32,device=cpu"]
    given = {"steps": 6, "tokens-per-step": round(4 * TOKENS_A_ROW), "learning-rate": 1e-2, "warmup-steps": 1}
    given |= {"save-steps": 2} | {name.replace("_", "-"): value for name, value in options.items()}
    line = [part for name, value in given.items() for part in (f"--{name}", str(value))]
    return subprocess.run([*launch, *line], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("damage", ["rubbish", "fewer rows"])
def test_damaged_rows_are_named(model: Path, data: Path, trained: Path, tmp_path: Path, damage: str) -> None:
    """The rows as training reads them are compared with the report's count when it goes on."""
    output = shutil.copytree(trained, tmp_path / "out")
    for name in ("checkpoint", "checkpoint-6"):
        shutil.rmtree(output / name)
    if damage == "rubbish":
        (output / "rows.arrow").write_bytes(b"rubbish")
    else:
        write_rows(write_data(tmp_path / "fewer", None, ROWS[:7]), output / "rows.arrow")
    with pytest.raises(TurnwiseError, match=r"rows.arrow' cannot be read .*: remove it, then run the same line again"):
        rft_command(data, _options(model, output), environ={})


def test_folders_of_others_are_never_removed(model: Path, data: Path, trained: Path, tmp_path: Path) -> None:
    """Checkpoints of another tool make the folder refused, and a folder of another name is no half checkpoint."""
    foreign = tmp_path / "foreign"
    (foreign / "checkpoint-500").mkdir(parents=True)
    with pytest.raises(TurnwiseError, match=r"holds .checkpoint-500. of another training, and no rft.json"):
        rft_command(data, _options(model, foreign), environ={})
    with pytest.raises(TurnwiseError, match="holds a model: give another --output_path"):
        rft_command(data, _options(model, model), environ={})
    assert (foreign / "checkpoint-500").is_dir()
    output = shutil.copytree(trained, tmp_path / "out")
    shutil.rmtree(output / "checkpoint")
    for name in ("checkpoint-best", "checkpoint-7"):
        (output / name).mkdir()
    (output / ".rows.arrow.12.tmp").write_bytes(b"half")  # which a kill left
    rft_command(data, _options(model, output), environ={})
    assert sorted(path.name for path in output.glob("checkpoint*")) == [
        "checkpoint",
        "checkpoint-4",
        "checkpoint-6",
        "checkpoint-best",
    ]
    assert not (output / ".rows.arrow.12.tmp").exists()


@pytest.mark.parametrize("name", ["checkpoint", ".checkpoint", "checkpoint-2", "checkpoint/mine"])
def test_what_is_in_the_way_of_the_model_is_refused_before_a_step(
    model: Path, data: Path, tmp_path: Path, name: str
) -> None:
    """A file where a checkpoint or the model is to be is named at once, not after the last step, and stays."""
    output = tmp_path / "out"
    write_fine_tuning(output, training_of(data, _options(model, output), command="").plan({}).record)
    (output / name).parent.mkdir(exist_ok=True)
    (output / name).write_text("mine")
    with pytest.raises(TurnwiseError, match="written there: remove it, or give another --output_path"):
        rft_command(data, _options(model, output), environ={})
    assert (output / name).read_text() == "mine" and not (output / "log.jsonl").exists()


def test_a_log_that_cannot_be_read_is_no_fault_of_the_checkpoint(
    model: Path, data: Path, trained: Path, tmp_path: Path
) -> None:
    """What fails before the first step, but for reading the checkpoint, does not advise to remove the checkpoint."""
    output = shutil.copytree(trained, tmp_path / "out")
    for name in ("checkpoint", "checkpoint-6"):
        shutil.rmtree(output / name)
    (output / "log.jsonl").unlink()
    (output / "log.jsonl").mkdir()
    with pytest.raises(IsADirectoryError) as failed:
        rft_command(data, _options(model, output), environ={})
    assert failed.value.filename == str(output / "log.jsonl")


def test_a_log_of_somebody_else_tells_no_wrong_progress(tmp_path: Path) -> None:
    """Lines of steps that the training has not, or of numbers that none can have, do not count."""
    numbers = ['"step":1,"tokens":10,"loss":0.5', '"step":9,"tokens":10,"loss":0.5', '"step":2,"tokens":10,"loss":NaN']
    numbers += ['"step":-1,"tokens":10,"loss":0.5', f'"step":2,"tokens":{"9" * 400},"loss":0.5']
    rest = '"learning_rate":0.1,"labels":1,"gradient_norm":0.1,"seconds":0.5'
    (tmp_path / "log.jsonl").write_text("".join(f"{{{one},{rest}}}\n" for one in numbers))
    progress = read_progress(tmp_path, 4)
    assert (progress.step, progress.loss, progress.tokens_per_second) == (1, 0.5, None)


@pytest.mark.parametrize(("step", "name"), [(4, "optimizer.pt"), (4, "rng_state.pth"), (6, "model.safetensors")])
def test_a_damaged_checkpoint_is_named(
    model: Path, data: Path, trained: Path, tmp_path: Path, step: int, name: str
) -> None:
    """What a checkpoint lost is not guessed: the sentence says to remove it, and the one before then does."""
    output = shutil.copytree(trained, tmp_path / "out")
    shutil.rmtree(output / "checkpoint")
    if step < 6:
        shutil.rmtree(output / "checkpoint-6")
    file = output / f"checkpoint-{step}" / name
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(TurnwiseError, match=f"The checkpoint '{file.parent}' cannot be read .*: remove it") as refused:
        rft_command(data, _options(model, output), environ={})
    assert refused.value.exit_status == 2
    file.unlink()
    if name == "optimizer.pt":
        with pytest.raises(TurnwiseError, match=r"cannot be read .it lacks optimizer.pt.: remove it"):
            rft_command(data, _options(model, output), environ={})
    if step == 6:
        shutil.rmtree(file.parent)
        rft_command(data, _options(model, output), environ={})
        assert _digest(output / "checkpoint") == _digest(trained / "checkpoint")


@pytest.mark.long
def test_two_processes_make_the_steps_of_one(model: Path, data: Path, tmp_path: Path) -> None:
    """Two processes share a step's rows and come to the weights of one; the main one writes and prints."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    rft_command(data, _options(model, alone, rows=4), environ={})
    process = _launch(data, model, together)
    assert process.returncode == 0, process.stderr
    assert "2 devices, 2 x 1 dialogue(s) a step" in process.stdout
    assert process.stdout.count("The model is trained") == process.stdout.count("Data: ") == 1
    assert [line["step"] for line in _log(together)] == [1, 2, 3, 4, 5, 6]
    losses = [[line["loss"] for line in _log(folder)] for folder in (alone, together)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    ours, theirs = _weights(alone / "checkpoint"), _weights(together / "checkpoint")
    assert np.mean([(ours[name] - theirs[name]).abs().mean() for name in ours]) < 1e-4


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"learning_rate": 1e25}, "so training stopped"), ({"max_length": 12}, "tokens, above --max-length 12")],
)
def test_of_two_processes_one_says_what_went_wrong(
    model: Path, data: Path, tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    """Before training and within it, one sentence stands for all processes."""
    process = _launch(data, model, tmp_path / "out", **options)
    assert process.returncode != 0
    assert process.stderr.count("turnwise: ") == 1 and sentence in process.stderr


def _attempts(
    data: Path, model: Path, folder: Path, attempts: list[dict[str, Any]]
) -> tuple[list[list[int | None]], list[list[str]]]:
    """Train by two processes that no launcher ends, again and again; return how each ended and its errors."""
    (folder / "attempts.json").write_text(json.dumps(attempts))
    arguments = ["rft", data, "-M", "hf", "-a", f"model={model},dtype=float32,device=cpu", "-o", folder / "out"]
    arguments += ["--steps", 6, "--tokens-per-step", round(4 * TOKENS_A_ROW), "--learning-rate", 1e-2]
    arguments += ["--warmup-steps", 1, "--save-steps", 2]
    program = Path(__file__).with_name("several_processes.py")
    subprocess.run([sys.executable, program, folder, *map(str, arguments)], check=True)
    said = [[(folder / f"said-{number}-{rank}").read_text() for rank in (0, 1)] for number in range(len(attempts))]
    errors = [[text[text.find("turnwise: ") :] if "turnwise: " in text else "" for text in each] for each in said]
    assert "Traceback" not in str(said)
    return json.loads((folder / "statuses.json").read_text()), errors


@pytest.mark.long
def test_two_processes_end_however_they_leave_their_group(model: Path, data: Path, tmp_path: Path) -> None:
    """At its end, resumed where all steps are made, and resumed before: both end, and the weights are the same."""
    attempts = [{}, {"moved": ["checkpoint"]}, {"moved": ["checkpoint", "checkpoint-6"]}]
    statuses, errors = _attempts(data, model, tmp_path, attempts)
    assert statuses == [[0, 0]] * 3 and errors == [["", ""]] * 3
    folders = [tmp_path / "before-1", tmp_path / "before-2", tmp_path / "out"]
    assert len({_digest(folder / "checkpoint") for folder in folders}) == 1
    assert [line["step"] for line in _log(tmp_path / "out")] == [1, 2, 3, 4, 5, 6]


@pytest.mark.long
def test_a_process_that_fails_leaves_no_other_waiting(model: Path, data: Path, tmp_path: Path) -> None:
    """The main process that cannot save, or either that is killed: the other ends, too, and training then goes on."""
    loop = "turnwise.training.fine_tuning.loop"
    faults: list[dict[str, Any]] = [
        {"0": [loop, "write_trained_model", 0, "full"]},  # while the other waits for the mark of checkpoint-2
        {"0": [loop, "write_trained_model", 0, "killed"]},
        {"1": [loop, "_any", 2, "killed"]},  # within step 3
        {"0": [loop, "_dataset", 0, "full"]},  # goes on, and fails before its first step
    ]
    statuses, errors = _attempts(data, model, tmp_path, [*({"faults": one} for one in faults), {}])
    assert statuses == [[3, 1], [-9, 1], [1, -9], [3, 1], [0, 0]]
    assert "No space left on device" in errors[0][0] and "No space left on device" in errors[3][0]
    assert "Another process of the training ended or does not answer" in errors[2][0]
    assert not any(text for _, text in errors)
    assert checkpoints_in(tmp_path / "out") == [4, 6]
