"""``turnwise run --model hf`` and ``--dry-run`` from the command line."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Completion
from tiny_model import make_tiny_model

from turnwise.commands.options import RunOptions
from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
from turnwise.records.training import FineTuningSettings, TrainedModel, write_trained_model
from turnwise.records.trajectory import Message
from turnwise.runners.models.openai.server import ServerCounter


def _turnwise(cache_dir: Path, *arguments: object, status: int = 0) -> str:
    command = [sys.executable, "-m", "turnwise", *map(str, arguments)]
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir), HF_HUB_OFFLINE="1")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[hf]'")
    pytest.importorskip("transformers", reason="transformers is not installed: pip install 'turnwise[hf]'")
    made = make_tiny_model(tmp_path_factory.mktemp("tiny"))
    tasks = ("codecontests_train_multiturn", "taco_train_multiturn")
    settings = FineTuningSettings(profile="small", steps=3)
    write_trained_model(made, TrainedModel("1", "rft", "base/m", "0123456789abcdef" * 4, tasks, (), settings, 3, "rft"))
    return made


@pytest.mark.slow
def test_a_local_model_runs_end_to_end(folder: Path, tmp_path: Path, cache_dir: Path) -> None:
    """Random weights write no code, which is an outcome; two runs are equal byte for byte, with ids and logprobs."""
    arguments = ["--model", "hf", "-a", f"model={folder},device=cpu,batch_size=4,logprobs=true", "--metadata"]
    arguments += ['{"samples_per_problem": 2}', "--gen_kwargs", "max_gen_toks=6,temperature=0.8"]
    arguments += ["-t", "sample_mbpp_plus_multiturn"]
    said = _turnwise(cache_dir, "run", *arguments, "-o", tmp_path / "a")
    assert "ended with a reply without code" in said and "missing" not in said
    _turnwise(cache_dir, "run", *arguments, "-o", tmp_path / "b")
    first, second = (next((tmp_path / name).rglob("00000.jsonl")).read_bytes() for name in "ab")
    assert first == second
    assert json.loads((tmp_path / "a" / "run.json").read_text())["model"] == {
        "back_end": "hf",
        "model": str(folder),
        "max_length": "4096",
        "trained_by": "rft",
        "base_model": "base/m",
        "trained_on": "codecontests_train_multiturn,taco_train_multiturn",
        "training_data": "0123456789ab",
    }
    for line in first.splitlines():
        before: list[int] = []
        turns = json.loads(line)["turns"]
        assert len(turns) == 3
        for turn in turns:
            reply = turn["calls"][0]["reply"]
            assert len(reply["token_ids"]) == len(reply["logprobs"]) == reply["completion_tokens"] <= 6
            assert len(reply["prompt_token_ids"]) == reply["prompt_tokens"]
            assert reply["prompt_token_ids"][: len(before)] == before  # all that the model had and sampled, as it was
            before = [*reply["prompt_token_ids"], *reply["token_ids"]]
    assert "Dialogues: 6;" in _turnwise(cache_dir, "run", "--dry-run", *arguments, "-o", tmp_path / "a")
    moved = folder.rename(tmp_path / "away")  # a finished run does not open it again, and so its absence is no matter
    again = _turnwise(cache_dir, "run", *arguments, "-o", tmp_path / "a")
    other = _turnwise(cache_dir, "run", *arguments, "--seed", 7, "-o", tmp_path / "a", status=2)
    moved.rename(folder)
    assert again.splitlines()[:3] == said.splitlines()[:3]
    assert "holds another run (settings seed: 0 there, 7 here)" in other


@pytest.mark.slow
def test_a_dry_run_counts_with_the_models_tokenizer(folder: Path, tmp_path: Path, cache_dir: Path) -> None:
    """Prompts that do not fit are named; nothing is written."""
    arguments = ["run", "--dry-run", "-M", "hf", "-t", "sample_codecontests_multiturn", "-o", tmp_path / "run"]
    said = _turnwise(cache_dir, *arguments, "-a", f"model={folder},max_length=1000", "--gen_kwargs", "max_gen_toks=100")
    assert "counted by the model's tokenizer" in said
    assert "Context: 1000 tokens; " in said and "first prompts leave fewer than 100 for a reply" in said
    assert "Completion tokens: at most 1,200." in said
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_calibrated_dry_run_estimates_the_whole(tmp_path: Path, cache_dir: Path) -> None:
    """Asks so many dialogues and no more; what it rests on stands beside the numbers."""
    code = "```python\nprint(0)\n```"
    with ChatServer(lambda body: Completion(code)) as server:
        said = _turnwise(
            cache_dir, "run", "--dry-run", "--calibrate", 3, "--throughput", 100, "--gpus", 4, "-M", "openai",
            "-a", f"base_url={server.base_url}", "-t", "sample_codecontests_multiturn", "-o", tmp_path / "run",
            "--metadata", '{"samples_per_problem": 50}',
        )  # fmt: skip
    assert len(server.bodies) == 9
    assert "Calibration: 3 dialogues in " in said and "9 calls" in said
    assert "Dialogues: 200; model calls: 600." in said
    assert "Prompt tokens: 7,200." in said and "Completion tokens: 3,000." in said
    assert "Time: 0.01 hours at 100 tokens/s (given), 0.03 GPU-hours." in said
    assert "guessed from characters" in said and "Context: unknown" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["calibrate", "throughput", "gpus"])
def test_numbers_that_cannot_be_are_refused(option: str) -> None:
    """In one sentence that names the option."""
    options = RunOptions(BackEndName.REPLAY, tasks="t", output_path=Path("run"), dry_run=True)
    wrong: dict[str, Any] = {option: -1}
    with pytest.raises(TurnwiseError, match=f"^--{option} is -1: give"):
        replace(options, **wrong).check("run")
    options.check("run")


def test_a_server_that_counts_is_asked() -> None:
    """vLLM's /tokenize, which tells the context too; elsewhere tokens are guessed, and nothing is said of it."""
    message = Message("user", "statement", "statement", "one two three")
    with ChatServer(lambda body: Completion("x"), context=77) as server:
        counter = ServerCounter(server.base_url, "tiny")
        assert (counter.count([message]), counter.max_length, counter.is_exact) == (3, 77, True)
    with ChatServer(lambda body: Completion("x")) as server:
        counter = ServerCounter(server.base_url, "tiny")
        assert (counter.count([message]), counter.max_length, counter.is_exact) == (4, None, False)
