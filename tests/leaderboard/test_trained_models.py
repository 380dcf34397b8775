"""What a model was trained on follows it: into run.json, and wherever it is named; a test task above all."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.compare import compare_command
from turnwise.commands.exchange import export_command, import_command
from turnwise.commands.noise import noise_command
from turnwise.commands.plot import plot_command
from turnwise.commands.publish import publish_command
from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.imported import Options
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.grid import heat_map
from turnwise.leaderboard.report import score_runs
from turnwise.records.choices import PaperTable
from turnwise.records.training import (
    TRAINING,
    FineTuningSettings,
    TrainedModel,
    describe_training,
    write_trained_model,
)
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.openai.server import describe_openai

TRAINED = TrainedModel(
    "1", "rft", "base/m", "ab" * 32, ("train_multiturn", "t"), (), FineTuningSettings(steps=3), 3, "turnwise rft"
)
WORDS = "trained on the test task t"


@pytest.fixture
def model(tmp_path: Path) -> Callable[..., Path]:
    """model(...): a folder of a model that was trained, a checkpoint as far as its record goes."""

    def make(name: str = "checkpoint-3", **changes: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        write_trained_model(folder, replace(TRAINED, **changes))
        return folder

    return make


@pytest.fixture
def run(tmp_path: Path, write_run: Callable[..., Path], dialogue: Any, judge: Any) -> Callable[..., Path]:
    """run(name, model): a run of a described model that solved its problem in the second turn."""

    def make(name: str, described: dict[str, str]) -> Path:
        one = dialogue("fail", "pass", problem="b/a")
        path = write_run(tmp_path / name, [one], [judge(one)])
        data = json.loads((path / "run.json").read_text())
        (path / "run.json").write_text(json.dumps({**data, "model": described}))
        return path

    return make


@pytest.mark.parametrize(("back_end", "length"), [("hf", "max_length"), ("vllm", "max_model_len")])
def test_a_checkpoint_that_is_not_opened_tells_of_its_training(
    model: Callable[..., Path], back_end: str, length: str
) -> None:
    """As turnwise submit records it, and as a server names it by its folder; other models say nothing."""
    describe = find_back_end(back_end).describe
    assert describe is not None
    said = {
        "trained_by": "rft",
        "base_model": "base/m",
        "trained_on": "train_multiturn,t",
        "training_data": "ab" * 6,
    }
    plain, spoiled = model("plain"), model("spoiled", train_on_test=("t",))
    start = {"back_end": back_end, "model": str(plain), length: "64"}
    assert describe(Wanted(f"model={plain},{length}=64")) == {**start, **said}
    on_test = {**start, "model": str(spoiled), **said, "trained_on_test": "t"}
    assert describe(Wanted(f"pretrained={spoiled},{length}=64")) == on_test
    assert describe_openai(str(spoiled), system_role=True)["trained_on_test"] == "t"
    assert describe(Wanted(f"model=org/name,{length}=64")) == {**start, "model": "org/name"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "cut off or no JSON"),
        ('{"format": 9, "turnwise": "7"}', "format 9 is unknown here; turnwise '7', which wrote it, reads it"),
        ('{"format": 1}', "turnwise"),
        ("\x00", "cut off or no JSON"),
    ],
)
def test_a_training_record_that_cannot_be_read_is_one_sentence(
    model: Callable[..., Path], text: str, reason: str
) -> None:
    """Whether the model is opened, counted with or described: who cannot know what it was trained on does not guess."""
    folder = model()
    (folder / TRAINING).write_text(text)
    for name, length in (("hf", "max_length"), ("vllm", "max_model_len")):
        back_end, wanted = find_back_end(name), Wanted(f"model={folder},{length}=64")
        for action in (back_end.open, back_end.count, back_end.describe):
            assert action is not None
            with pytest.raises(TurnwiseError) as caught:
                action(wanted)
            said = str(caught.value)
            assert str(folder / TRAINING) in said and reason in said and said.endswith("restore it.")


def test_a_run_of_a_model_that_does_not_tell_its_training_ends_before_it_begins(
    model: Callable[..., Path], tmp_path: Path
) -> None:
    """With one sentence and exit status 2; nothing is written."""
    folder = model()
    (folder / TRAINING).write_text('{"format": 1}')
    arguments = ["-M", "hf", "-a", f"model={folder}", "-t", "sample_mbpp_plus_multiturn", "-o", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-m", "turnwise", "run", *arguments],
        env={**os.environ, "TURNWISE_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 2 and "without it nobody knows what the model was trained on" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_training_record_that_is_a_link_is_read(model: Callable[..., Path], tmp_path: Path) -> None:
    """As the files of the hub's folders are; a pipe in its place is refused at once."""
    folder = model(train_on_test=("t",))
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    (snapshot / TRAINING).symlink_to(folder / TRAINING)
    assert describe_training(str(snapshot)) == describe_training(str(folder))
    (snapshot / TRAINING).unlink()
    (snapshot / TRAINING).mkdir()
    with pytest.raises(TurnwiseError, match="restore it"):
        describe_training(str(snapshot))


def test_every_output_that_names_a_model_says_that_it_was_trained_on_the_test(
    model: Callable[..., Path], run: Callable[..., Path], tmp_path: Path
) -> None:
    """Rows, settings, the page, comparisons, charts, exports; a long name does not push it out."""
    folder = model("x" * 120, train_on_test=("t",))
    described = {"back_end": "hf", "model": str(folder), **describe_training(str(folder))}
    path, other = run("spoiled", described), run("clean", {"back_end": "hf", "model": "clean"})
    score = score_command([path, other])
    (row,) = [line for line in score.splitlines() if WORDS in line and not line.startswith("Settings")]
    (settings,) = [line for line in score.splitlines() if line.startswith("Settings of") and WORDS in line]
    assert f"trained by rft from base/m on train_multiturn,t (data {'ab' * 6}), {WORDS}" in settings
    assert "clean" not in row
    assert WORDS in score_command([path], table=PaperTable.FEEDBACK)
    assert json.loads(score_command([path], style="json"))["tasks"][0]["model"]["trained_on_test"] == "t"
    for said in (compare_command([path, other]), compare_command([path, other, other])):
        assert said.count(WORDS) == 1
    assert WORDS in json.loads(compare_command([path, other], as_json=True))["first"]["model"]
    assert WORDS in noise_command(path, None)
    scored = score_runs(read_runs([path]))
    assert WORDS in json.loads(heat_map(scored))["cells"][0]["model"]
    publish_command([path, other], tmp_path / "page", environ={"TURNWISE_CACHE": str(tmp_path / "cache")})
    page = (tmp_path / "page" / "index.html").read_text()
    assert page.count(WORDS) >= 3  # its row, its settings, its details
    plot_command([path], tmp_path / "plot.json", chart="turns")
    assert WORDS in (tmp_path / "plot.json").read_text()
    export_command([path], "csv", tmp_path / "run.csv")
    assert WORDS in (tmp_path / "run.csv").read_text()
    export_command([path], "lm-eval", tmp_path / "lm")
    (results,) = (tmp_path / "lm").rglob("results_*.json")
    assert WORDS in json.loads(results.read_text())["model_name"]
    files = sorted((tmp_path / "lm").rglob("*.json*"))
    import_command(files, Options("lm-eval"), tmp_path / "back", environ={}, arguments=[])
    assert score_command([tmp_path / "back"]).count(f"({WORDS})") == score_command([path]).count(f"({WORDS})")


def test_a_model_of_nobodys_training_is_named_as_ever(run: Callable[..., Path]) -> None:
    """And one that was not trained on a test has its training in the settings alone."""
    described = {"back_end": "hf", "model": "m", "trained_by": "rft", "base_model": "b", "trained_on": "c_train"}
    path, other = run("trained", {**described, "training_data": "0" * 12}), run("plain", {"model": "m"})
    assert "Settings: trained by rft from b on c_train (data 000000000000), profile" in score_command([path])
    assert "trained" not in score_command([other]) and "(trained on" not in score_command([path])


def test_what_a_strangers_run_says_of_its_training_stays_on_its_line(run: Callable[..., Path]) -> None:
    """Printable and bounded, as names are."""
    tasks = ",".join(["a\n\x1b[31m", "b"] + ["c"] * 10_000)
    score = score_command([run("odd", {"model": "m", "trained_by": "x\n" * 9000, "trained_on_test": tasks})])
    assert "\x1b" not in score and "(trained on the test tasks a\\n\\x1b[31m and b and c and" in score
    assert len(score) < 5_000
