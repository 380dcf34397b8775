"""``turnwise rlef``: what it says before it trains, and what it refuses, each in one sentence."""

import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from small_rlef import shared_machine, small_options, write_toy  # noqa: E402 - needs what is skipped for above
from tiny_model import make_tiny_model  # noqa: E402 - as above

from turnwise.cli.main import _run  # noqa: E402 - as above
from turnwise.commands.rlef import plan_rlef_job, rlef_command, settings_of  # noqa: E402 - as above
from turnwise.commands.rlef_engine import engine_command  # noqa: E402 - as above
from turnwise.commands.training_options import RlefJobOptions, RlefOptions  # noqa: E402 - as above
from turnwise.errors import MissingExtraError, TurnwiseError  # noqa: E402 - as above
from turnwise.records.choices import (  # noqa: E402 - as above
    BackEndName,
    ClusterKind,
    EngineName,
    RlefProfile,
    RolloutEngine,
    TrainingType,
)
from turnwise.records.rlef import RewardSettings, RlefSettings  # noqa: E402 - as above


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tiny model, four problems, and a machine that judges."""
    folder = tmp_path_factory.mktemp("rlef")
    make_tiny_model(folder / "model", context=2048)
    write_toy(folder)
    with shared_machine({"TURNWISE_CACHE": str(folder / "cache")}):
        yield folder


@pytest.fixture(autouse=True)
def _no_other_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TURNWISE_CACHE", str(folder / "cache"))
    yield


def _options(folder: Path, **more: Any) -> RlefOptions:
    return small_options(folder / "model", folder / "toy_train.jsonl", folder / "out", **more)


def _refusal(options: RlefOptions, folder: Path, **environ: str) -> str:
    with pytest.raises(TurnwiseError) as caught:
        rlef_command(options, environ={"TURNWISE_CACHE": str(folder / "cache"), **environ})
    assert caught.value.exit_status == 2
    assert not (folder / "out").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"iterations": 0}, "--iterations is 0: give a whole number from 1"),
        ({"rollouts": 7}, "--rollouts is 7 and --group 2: give a number of rollouts that groups divide"),
        ({"minibatches": 9}, "--minibatches is 9, and an iteration has 8 rollouts"),
        ({"learning_rate": 0.0}, "--learning-rate is 0: give a number above 0"),
        ({"beta": -1.0}, "--beta is -1: give 0 or more"),
        ({"gae_lambda": 1.5}, "--gae-lambda is 1.5: give a number from 0 to 1"),
        ({"clip": float("nan")}, "--clip is nan: give a number above 0"),
        ({"clip": 1e300}, "--clip is 1e+300: give a number above 0, such as 0.2"),
        ({"rewards": "solved=1e38"}, "--rewards solved is 1e+38: give a number from -1e+06 to 1e+06"),
        ({"rewards": "failed=nan"}, "--rewards failed is nan: give a number from"),
        ({"most_spoiled": 2.0}, "--most-spoiled is 2: give a share from 0 to 1"),
        ({"lora": -1}, "--lora is -1: give a whole number from 0"),
        ({"max_reply_tokens": 1500}, "--max-reply-tokens is 1500, and a dialogue has 1500 tokens at most"),
        ({"rewards": "solved=1,won=2"}, "--rewards 'won' is unknown"),
        ({"rewards": "solved=much"}, "--rewards solved is 'much': give a number"),
        ({"rewards": "solved=-1"}, "--rewards gives solved -1 and failed -1"),
        ({"rewards": "invalid=0.1"}, "--rewards invalid is 0.1, which would pay for turns without valid code"),
        ({"rewards": "invalid_is=bad"}, "--rewards invalid_is is 'bad': give no_code or"),
        ({"evaluation_kwargs": "presence_penalty=1"}, "--evaluation-kwargs presence_penalty is 1.0, and --model hf"),
        ({"gen_kwargs": "temperature=0.5"}, "--gen-kwargs temperature=0.5 samples by another policy than the one that"),
        ({"gen_kwargs": "max_gen_toks=5"}, "--max-reply-tokens is 4, and --gen-kwargs max_gen_toks is 5"),
        ({"metadata": '{"samples_per_problem": 3}'}, "--metadata has samples_per_problem, which no training has"),
        ({"evaluation_samples": 0}, "--evaluation-samples is 0: give 1 or more"),
        ({"evaluation_kwargs": "warmth=1"}, "--evaluation-kwargs 'warmth' is unknown"),
        ({"model": BackEndName.OPENAI}, "-M openai cannot be trained: give -M hf"),
        ({"model": None}, "turnwise rlef needs --model"),
        ({"tasks": ""}, "turnwise rlef needs --tasks"),
        ({"tasks": "sample_codecontests_multiturn"}, "which measures models: train on a task over a train split"),
        ({"dtype": None, "model_args": "model=m,dtype=int8"}, "-a dtype= is 'int8': give one of bfloat16, float32"),
        ({"track": "aim"}, "--track names 'aim': give one or more of wandb, tensorboard"),
    ],
)
def test_what_cannot_be_is_refused_before_a_machine_is_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, object], sentence: str
) -> None:
    """By a sentence that names the option, its value and what to give; nothing is written."""
    monkeypatch.setattr("turnwise.commands.rlef.open_machine", None)
    assert sentence in _refusal(replace(_options(folder), **given), folder)


def test_a_tracker_that_is_not_installed_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is done, and with what to install."""
    real = importlib.util.find_spec
    absent = {"tensorboard", "tensorboardX", "wandb"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in absent else real(name, *rest))
    for name in ("tensorboard", "wandb"):
        text = _refusal(_options(folder, track=name), folder)
        assert text == f"--track {name} needs the package {name}: run pip install {name}."


def test_without_torch_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every command that needs one."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest))
    with pytest.raises(MissingExtraError, match=r"turnwise rlef needs the package torch: .*turnwise\[train\]"):
        rlef_command(_options(folder), environ={})


def test_other_choices_are_refused_by_the_command_line(folder: Path) -> None:
    """A value that none is, and a cluster's."""
    with pytest.raises(TurnwiseError, match="--value is 'nosuch'"):
        _run(["rlef", "--value", "nosuch"])


def test_what_is_found_of_model_and_problems_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temperature, a task that nobody verified, a context, a template, an engine; each leaves no folder behind."""
    assert "--gen-kwargs temperature=0.2" in _refusal(_options(folder, gen_kwargs="temperature=0.2"), folder)
    assert "turnwise verify" in _refusal(_options(folder, metadata=""), folder)
    assert "reads 2,048 tokens, and --max-length is 4,096" in _refusal(_options(folder, max_length=4096), folder)
    bare = tmp_path / "bare"
    shutil.copytree(folder / "model", bare)
    (bare / "chat_template.jinja").unlink()
    options = replace(_options(folder), model_args=f"model={bare},device=cpu")
    assert "has no chat template" in _refusal(options, folder)
    (bare / "chat_template.jinja").write_text("{{ nothing")
    assert "cannot be filled in (" in _refusal(options, folder)
    (bare / "chat_template.jinja").write_text("{{ raise_exception('no ' ~ messages[0].role ~ ' role') }}")
    text = _refusal(replace(options, system_instruction="Be brief."), folder)
    assert "cannot be filled in (no system role): give -a system_role=false" in text
    options = replace(_options(folder), model_args=f"model={tmp_path}/none,device=cpu")
    assert "none' cannot be loaded (there is no such folder): mend -a model=" in _refusal(options, folder)
    of_two = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    options = _options(folder, rollout_engine=RolloutEngine.VLLM)
    assert "samples for one process, and 2 train together" in _refusal(options, folder, **of_two)
    with monkeypatch.context() as patch:
        real = importlib.util.find_spec
        patch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "vllm" else real(name, *rest))
        assert "--rollout-engine vllm needs the package vllm: run pip install" in _refusal(options, folder)


def test_a_dry_run_says_what_will_be_and_writes_nothing(folder: Path) -> None:
    """Problems, iterations, parameters, memory, disk, evaluations."""
    options = _options(folder, dry_run=True, evaluate="toy_train_multiturn", lora=4, warmup_updates=6)
    text = rlef_command(options, environ={"TURNWISE_CACHE": str(folder / "cache")}).text
    assert "Problems: 4 of toy_train_multiturn, each asked 3.00 times in groups of 2." in text
    assert "Iterations: 3 of 8 dialogues of at most 2 turn(s), at most 12,000 tokens; 6 updates in all." in text
    assert "trained (LoRA of rank 4), float32; a value at each turn; 1 device." in text
    assert "Memory: about" in text and "Disk: about" in text and " free." in text
    assert "Evaluations: toy_train_multiturn, before the first iteration and every 200." in text
    assert "it never comes to its peak; give fewer --warmup-updates." in text
    assert not (folder / "out").exists()


def test_a_job_is_planned_for_machines_that_are_not_here(folder: Path) -> None:
    """For two accelerators, whose memory nobody knows."""
    options = replace(_options(folder), model_args=f"model={folder / 'model'},device=cuda")
    planned = plan_rlef_job(options, command="", environ={"TURNWISE_CACHE": str(folder / "cache")}, processes=2)
    assert planned.steps == 3 and list(planned.models) == [(str(folder / "model"), None)]
    text = "\n".join(planned.lines)
    assert "2 devices" in text and text.count("free") == 1 and not (folder / "out").exists()


def test_an_engines_files_are_written_and_nothing_is_trained(folder: Path, tmp_path: Path) -> None:
    """Paths are absolute, the nodes those of the profile; a dry run writes none, and a job is another matter."""
    profile = tmp_path / "nodes.yaml"
    profile.write_text("workers: 2\ngpus: 2\npartition: large\n")
    small = {field.name: getattr(_options(folder), field.name) for field in fields(RlefOptions)}
    options = RlefJobOptions(
        **small
        | {"engine": EngineName.SKYRL, "rollouts": 4, "group": 1, "minibatches": 1, "output_path": tmp_path / "out"}
    )
    options = replace(options, cluster_profile=profile)
    environ = {"TURNWISE_CACHE": str(folder / "cache")}
    text = engine_command(replace(options, dry_run=True), environ=environ)
    assert "Would write " in text and "skyrl.yaml" in text and not (tmp_path / "out").exists()
    text = engine_command(options, environ=environ)
    made = tmp_path / "out" / "engine"
    assert f"to {made}: 4 problems, 2 node(s) of 2 GPUs" in text
    assert json.loads((made / "environment.json").read_text())["benchmark"] == str(folder / "toy_train.jsonl")
    job = (made / "job.sbatch").read_text()
    assert "--nodes=2" in job and "--partition=large" in job
    assert len((made / "problems.jsonl").read_text().splitlines()) == 4
    with pytest.raises(TurnwiseError, match="--engine skyrl writes the script of its own"):
        engine_command(replace(options, cluster=ClusterKind.SLURM), environ=environ)
    with pytest.raises(TurnwiseError, match=r"--engine skyrl has trackers of its own: give them to its train.py"):
        engine_command(replace(options, track="wandb"), environ=environ)
    (made / "checkpoints").mkdir()
    engine_command(options, environ=environ)
    with pytest.raises(TurnwiseError, match=r"engine' holds another training \(settings beta: .* give another"):
        engine_command(replace(options, beta=0.5), environ=environ)


def test_profiles_are_the_papers_numbers_and_one_gpu() -> None:
    """What is typed goes before them; a reply's tokens may be given as a run's are."""
    assert settings_of(RlefOptions()) == RlefSettings()
    small = settings_of(RlefOptions(profile=RlefProfile.SMALL))
    assert (small.lora_rank, small.rollouts, small.group, small.minibatches) == (32, 128, 4, 4)
    assert (small.save_iterations, small.evaluate_iterations) == (1, 10)
    typed = RlefOptions(
        gen_kwargs="max_gen_toks=64", rewards="invalid=0,invalid_is=no_code", mask_cut=True, dtype=TrainingType.FLOAT32
    )
    settings = settings_of(typed)
    assert settings == RlefSettings(
        max_reply_tokens=64,
        rewards=RewardSettings(invalid=0.0, invalid_is="no_code"),
        mask_cut=True,
        dtype="float32",
    )
