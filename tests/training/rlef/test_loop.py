"""The iterations of ``turnwise rlef`` with a tiny model: what they leave, how they go on, and who is told of them."""

import copy
import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from small_rlef import shared_machine, small_line, small_options, write_toy  # noqa: E402 - needs what is skipped for above
from tiny_model import make_tiny_model  # noqa: E402 - as above

from turnwise.commands import rlef  # noqa: E402 - as above
from turnwise.commands.rlef_watch import score_evaluation  # noqa: E402 - as above
from turnwise.commands.score import score_command  # noqa: E402 - as above
from turnwise.commands.trained import STOPPED  # noqa: E402 - as above
from turnwise.commands.training_options import RlefOptions  # noqa: E402 - as above
from turnwise.errors import TurnwiseError  # noqa: E402 - as above
from turnwise.locks import Lock  # noqa: E402 - as above
from turnwise.records.choices import PaperTable, RolloutEngine  # noqa: E402 - as above
from turnwise.records.rlef import PAGE, Seconds, read_iterations, read_rlef  # noqa: E402 - as above
from turnwise.records.run_folder import RunFolder  # noqa: E402 - as above
from turnwise.records.settings import Sampling  # noqa: E402 - as above
from turnwise.records.training import TRAINING, checkpoints_in, describe_training, read_trained_model  # noqa: E402 - as above
from turnwise.records.trajectory import Message, Reply  # noqa: E402 - as above
from turnwise.runners.judging.verdicts import RecentCache  # noqa: E402 - as above
from turnwise.runners.models.hf import HFEngine, HFOptions  # noqa: E402 - as above
from turnwise.runners.models.sampler import Request  # noqa: E402 - as above
from turnwise.runners.models.weights import LiveModel  # noqa: E402 - as above
from turnwise.training.rlef.loop import Parts, train  # noqa: E402 - as above
from turnwise.training.rlef.tracking import figures_of  # noqa: E402 - as above

EVALUATED = {"evaluate": "toy_train_multiturn", "evaluation_samples": 1, "evaluate_iterations": 2}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A tiny model, four problems, and a machine that judges."""
    folder = tmp_path_factory.mktemp("rlef")
    make_tiny_model(folder / "model", context=2048)
    write_toy(folder)
    with shared_machine({"TURNWISE_CACHE": str(folder / "cache")}):
        yield folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> Path:
    """A training of three iterations that nothing interrupted, measured before the first, after the second and last."""
    output, said = folder / "trained", io.StringIO()
    with redirect_stderr(said):
        trained = rlef.rlef_command(_options(folder, output, **EVALUATED), environ=_environ(folder))
    assert "evaluation 000002: toy_train_multiturn 1@3 0.0 %" in said.getvalue()
    assert trained.status == 0 and f"model={output / 'checkpoint'}" in trained.text
    return output


def _environ(folder: Path) -> dict[str, str]:
    return {"TURNWISE_CACHE": str(folder / "cache")}


def _options(folder: Path, output: Path, **more: Any) -> RlefOptions:
    return small_options(folder / "model", folder / "toy_train.jsonl", output, **more)


def _digest(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_iterations_are_logged_and_checkpoints_can_be_asked(folder: Path, trained: Path) -> None:
    """A line for each, with the evaluations behind it; checkpoints are models that say how they were trained."""
    log = read_iterations(trained)
    assert [line.iteration for line in log] == [1, 2, 3]
    assert [line.evaluations for line in log] == [(), ("000002",), ("000003",)]
    assert all(line.rollouts.dialogues == 8 and line.update.updates == 2 for line in log)
    assert log[0].update.kl == 0.0 and log[2].update.kl != 0.0
    assert log[0].seconds.evaluation == 0.0 < log[1].seconds.evaluation
    assert checkpoints_in(trained) == [2, 3]
    assert describe_training(str(trained / "checkpoint-2"))["trained_by"] == "rlef"
    model = read_trained_model(trained / "checkpoint")
    assert model is not None and (model.step, model.feedback, model.turns) == (3, "failed_tests", 2)
    assert model.tasks == ("toy_train_multiturn",) and model.base_model == str(folder / "model")
    engine = HFEngine.load(HFOptions(str(trained / "checkpoint")), Sampling(temperature=0.0, max_tokens=2))
    said = engine.generate_batch([Request("toy", "toy/a", 0, 0, 0, (Message("user", "statement", "", "Who?"),), 0)])
    assert isinstance(said[0], Reply)
    assert _digest(trained / "checkpoint") == _digest(trained / "checkpoint-3") != _digest(folder / "model")


def test_evaluations_are_run_folders_of_all_turns_with_true_feedback(folder: Path, trained: Path) -> None:
    """Whose record says which policy was asked; they are scored."""
    names = sorted(path.name for path in (trained / "evaluations").iterdir())
    assert names == ["000000", "000002", "000003"]
    first, second = (RunFolder(trained / "evaluations" / name).record for name in names[:2])
    assert first.model["model"] == str(folder / "model") and "trained_by" not in first.model
    assert second.model["model"] == "trained/checkpoint-2" and second.model["iteration"] == "2"
    assert second.model["trained_by"] == "rlef" and second.model["trained_on"] == "toy_train_multiturn"
    assert second.tasks[0].max_turns == 3 and second.settings.sampling.temperature == 0.2
    scores = json.loads((trained / "evaluations" / "000003" / "scores.json").read_text())
    assert scores["tasks"][0]["dialogues"] == 4
    options = _options(folder, trained, feedback="random", metadata='{"own_solutions": 0, "max_turns": 1}', **EVALUATED)
    tasks, learnt = rlef.tasks_of_options(options), rlef.settings_of(options)
    config = rlef._dialogues(options, tasks, learnt)
    _, settings = rlef._evaluation(options, tasks, config, learnt)
    assert (config.settings.feedback, config.settings.max_turns) == ("random", 1)
    assert (settings.feedback, settings.max_turns) == ("failed_tests", None)


def test_the_page_and_the_table_show_what_was_logged_and_evaluated(trained: Path, tmp_path: Path) -> None:
    """The page has the last line and each evaluation; score --table takes the training's folder as it is."""
    page = (trained / PAGE).read_text(encoding="utf-8")
    assert "<b>3 of 3</b> iterations" in page and "Iteration 3 solved" in page
    assert all(name in page for name in ("000000", "000002", "000003"))
    copied = shutil.copytree(trained, tmp_path / "copied")
    table = score_command([copied], table=PaperTable.RLEF_ABLATION, style="json")
    (row,) = json.loads(table)[0]["rows"]
    assert (row["training"], row["folder"], row["metric"], row["iterations"]) == ("RLEF", "trained", "1@3", "3")
    assert row["before"] and row["after"] and row["gain"]


def test_the_same_line_changes_nothing_and_another_is_refused(folder: Path, trained: Path) -> None:
    """With the first setting that differs; and so is a second process, and a folder of something else."""
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}
    again = rlef.rlef_command(_options(folder, trained, **EVALUATED), environ=_environ(folder))
    assert "already; nothing was changed" in again.text
    assert before == {path: path.stat().st_mtime_ns for path in trained.rglob("*") if path.is_file()}
    options = _options(folder, trained, **{**EVALUATED, "learning_rate": 2e-2})
    with pytest.raises(TurnwiseError, match=r"another training \(settings learning_rate: 0.01 there, 0.02 here\)"):
        rlef.rlef_command(options, environ=_environ(folder))
    options = replace(_options(folder, trained, **EVALUATED), model_args=f"model={folder / 'model'},system_role=false")
    with pytest.raises(TurnwiseError, match=r"another training \(model system_role: null there, \"user\" here\)"):
        rlef.rlef_command(options, environ=_environ(folder))
    other = folder / "other"
    (other / "checkpoint-1").mkdir(parents=True)
    with pytest.raises(TurnwiseError, match=r"holds 'checkpoint-1', and no rlef.json"):
        rlef.rlef_command(_options(folder, other), environ=_environ(folder))
    with pytest.raises(TurnwiseError, match=r"model' holds 'config.json', and no rlef.json"):
        rlef.rlef_command(_options(folder, folder / "model"), environ=_environ(folder))
    assert not (folder / "model" / "rlef.json").exists()


def test_what_was_taken_is_made_again(folder: Path, trained: Path) -> None:
    """The model alone, from the last checkpoint; one that is damaged is refused, and so is a second process."""
    output = folder / "copy" / "trained"
    shutil.copytree(trained, output)
    (output / "checkpoint" / "model.safetensors").unlink()
    scores = output / "evaluations" / "000003" / "scores.json"
    options = _options(folder, output, **EVALUATED)
    lock = Lock(output / "rlef.lock")
    with pytest.raises(TurnwiseError, match="Another process trains in the folder"):
        rlef.rlef_command(options, environ=_environ(folder))
    lock.release()
    state = output / "checkpoint-3" / "state.pt"
    whole = state.read_bytes()
    state.write_bytes(whole[:-1])
    with pytest.raises(TurnwiseError, match=r"checkpoint-3' cannot be read .*remove it"):
        rlef.rlef_command(options, environ=_environ(folder))
    state.write_bytes(whole)
    assert rlef.rlef_command(options, environ=_environ(folder)).status == 0
    assert _digest(output / "checkpoint") == _digest(trained / "checkpoint")
    scores.write_text('{"tas')
    value = score_evaluation(scores.parent)
    assert value is not None and value == score_evaluation(scores.parent)
    assert json.loads(scores.read_text())["tasks"]


def test_told_to_stop_it_saves_and_goes_on(folder: Path, trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After the iteration at hand, with 75; the same line then ends with the weights of one that was not told."""
    output = folder / "stopped"
    options = _options(folder, output, save_iterations=3)
    assert rlef.train_rlef_job(options, command="", environ=_environ(folder), stop=lambda: True) == STOPPED
    assert checkpoints_in(output) == [1] and not (output / "checkpoint").exists()
    (output / "training.html").unlink()
    (output / "training.html").mkdir()  # a page that cannot be written ends no training
    assert rlef.train_rlef_job(options, command="", environ=_environ(folder), stop=lambda: False) == 0
    said = capsys.readouterr()
    assert said.err.count("The page is not written, and training goes on") == 1
    assert "Goes on from checkpoint-1." in said.out and "The model is trained" in said.out
    assert "iteration 2/3: solved 0.0 %, invalid 100.0 %, reply 4 tokens, KL" in said.err
    assert " drift " in said.err and " dialogues/s" in said.err and " left" in said.err
    assert _digest(output / "checkpoint") == _digest(trained / "checkpoint")
    assert not list((output / "rollouts").iterdir())


class _FakeModel:
    """An engine of its own: it answers with the weights that it was given last, in an event loop of its own."""

    tells_tokens = True
    gate = None

    def __init__(self, model: Path, told: list[str]) -> None:
        self.description = {"model": str(model)}
        self._told = told
        self._load(model)

    def _load(self, folder: Path) -> None:
        options = HFOptions(
            str(folder), logprobs=True, max_length=1500, device="cpu", tokenizer=self.description["model"]
        )
        self._engine = HFEngine.load(options, Sampling(temperature=1.0, max_tokens=4))
        self.template = self._engine.template

    async def generate(self, request: Request) -> Any:
        outcome = self._engine.generate_batch([request])[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def with_sampling(self, sampling: Sampling) -> "_FakeModel":
        del sampling
        return copy.copy(self)

    async def load_weights(self, folder: Path) -> None:
        self._told.append("load")
        self._load(folder)

    async def sleep(self) -> None:
        self._told.append("sleep")

    async def wake(self) -> None:
        self._told.append("wake")

    async def close(self) -> None:
        self._told.append("close")


def test_an_engine_beside_is_given_each_policy(folder: Path) -> None:
    """It sleeps while the policy learns; what it says of tokens is what the policy says, so it had its weights."""
    output, told = folder / "sent", []
    options = _options(folder, output, rollout_engine=RolloutEngine.VLLM, iterations=2)
    scores = {"000001": 1.0, "000002": 0.5}

    def evaluate(run: Path) -> float | None:
        (run / "scores.json").write_text("{}")
        return scores.get(run.name)

    options = replace(options, **{**EVALUATED, "evaluate_iterations": 1})
    with (
        rlef.open_training(options, command="", environ=_environ(folder)) as (plan, machine),
        closing(machine.open_judge(plan.training.judge, RecentCache(100))) as judge,
    ):
        parts = Parts(machine, judge, evaluate, open_engine=lambda: LiveModel(_FakeModel(folder / "model", told)))
        assert train(plan, parts)
    asked = ["load", "sleep"]
    assert told == ["sleep", *asked * 5, "close"]  # two iterations, three evaluations
    log = read_iterations(output)
    assert max(line.update.logprob_gap for line in log) < 1e-4 and log[1].update.kl != 0.0
    assert not (output / "policy").exists() and checkpoints_in(output) == [1, 2]


def test_the_best_checkpoint_by_evaluation_stays(folder: Path, trained: Path) -> None:
    """Beside the last two."""
    from turnwise.training.rlef.loop import _best

    output = folder / "best"
    options = _options(folder, output, iterations=9, **{**EVALUATED, "evaluate_iterations": 1})
    values = {1: 0.2, 2: 0.5, 3: 0.5, 4: 0.1}
    with rlef.open_training(options, command="", environ=_environ(folder)) as (plan, machine):
        for iteration in (1, 2, 3, 4, 5):
            for made in (plan.evaluation(iteration), output / f"checkpoint-{iteration}"):
                made.mkdir(parents=True)
            (output / f"checkpoint-{iteration}" / TRAINING).write_text("{}")
            if iteration in values:
                (plan.evaluation(iteration) / "scores.json").write_text("{}")
        with closing(machine.open_judge(plan.training.judge, RecentCache(100))) as judge:
            found = _best(plan, Parts(machine, judge, evaluate=lambda run: values[int(run.name)]))
    assert found == {3}  # the later of equals


def test_a_figure_that_is_no_number_stops_training(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is saved of it; the sentence says which checkpoint stands."""
    from turnwise.training.rlef import loop

    update = read_iterations(folder / "trained")[0].update
    with pytest.raises(TurnwiseError, match=r"The kl of iteration 4 is nan, so training stopped; checkpoint-2 stands"):
        loop._check_finite(replace(update, kl=float("nan")), 4, 2)


def test_trackers_are_told_each_iteration(folder: Path, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By accelerate, which a tracker of ours stands behind: numbers by name, the settings, and the end."""
    from accelerate import tracking as theirs
    from accelerate.utils import LoggerType

    from turnwise.training.rlef import tracking

    told: list[object] = []

    class _Tracker(theirs.GeneralTracker):  # type: ignore[misc]  # untyped
        name, requires_logging_directory = "tensorboard", True

        def __init__(self, run_name: str, logging_dir: str, **_: object) -> None:
            super().__init__()
            told.append((run_name, logging_dir))

        tracker = None

        def store_init_configuration(self, values: dict[str, Any]) -> None:
            told.append(values)

        def log(self, values: dict[str, float], step: int, **_: object) -> None:
            told.append((step, values))

        def finish(self) -> None:
            told.append("end")

    monkeypatch.setattr(theirs, "_available_trackers", [LoggerType.TENSORBOARD])
    monkeypatch.setitem(theirs.LOGGER_TYPE_TO_CLASS, "tensorboard", _Tracker)
    line = read_iterations(trained)[0]
    record = read_rlef(trained)
    assert record is not None
    watch = tracking.Trackers(("tensorboard",), folder / "tracked", record)
    for iteration in (1, 2):
        watch.log(replace(line, iteration=iteration))
    watch.close()
    assert told[0] == ("turnwise-rlef", str(folder / "tracked"))
    assert isinstance(told[1], dict) and told[1]["learning_rate"] == 1e-2 and told[1]["rewards/solved"] == 1.0
    assert told[2] == (1, figures_of(line)) and told[3] == (2, figures_of(line)) and told[4] == "end"


def test_figures_have_names_by_part_and_turn(trained: Path) -> None:
    """Nothing but numbers; what is not known is left out."""
    line = replace(read_iterations(trained)[0], seconds=Seconds(1.0, 2.0, 3.0))
    figures = figures_of(line)
    assert figures["seconds/judging"] == 2.0 and figures["rollouts/turns/1/dialogues"] == 8.0
    assert figures["rollouts/turns/2/verdicts/no_code"] == 8.0 and "rollouts/turns/1/similarity" not in figures


@pytest.mark.long
def test_two_processes_train_together(folder: Path) -> None:
    """Each samples its share, the main one writes and says; killed after an iteration, both go on."""
    output = folder / "together"
    line = small_line(folder / "model", folder / "toy_train.jsonl", output, *("--evaluate", "toy_train_multiturn"))
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29533"]
    environ = {**_environ(folder), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    process = subprocess.run(
        [*launch, "-m", "turnwise", *line], capture_output=True, text=True, check=False, env=environ
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("The model is trained") == process.stdout.count("Problems: ") == 1
    log = read_iterations(output)
    assert [line.rollouts.dialogues for line in log] == [8, 8, 8] and log[2].update.kl != 0.0
    assert checkpoints_in(output) == [2, 3]
    digest = _digest(output / "checkpoint")
    for name in ("checkpoint", "checkpoint-3"):
        shutil.rmtree(output / name)
    process = subprocess.run(
        [*launch, "-m", "turnwise", *line], capture_output=True, text=True, check=False, env=environ
    )
    assert process.returncode == 0 and "Goes on from checkpoint-2." in process.stdout, process.stderr
    assert _digest(output / "checkpoint") == digest
