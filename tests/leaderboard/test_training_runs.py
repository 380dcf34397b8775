"""Runs on training problems: scored for whoever trains, and never on a board beside evaluations."""

from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.commands.compare import compare_command
from turnwise.commands.plot import plot_command
from turnwise.commands.publish import publish_command
from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.records.judgement import Judgement
from turnwise.records.trajectory import Trajectory

Runs = tuple[list[Path], list[Path]]
BOARDS: dict[str, Callable[[list[Path]], str]] = {
    "publish": lambda paths: publish_command(paths, Path("page"), environ={}),
    "plot": lambda paths: plot_command(paths, Path("plot.json")),
    "compare": compare_command,
}


@pytest.fixture
def runs(
    tmp_path: Path,
    small_run: Callable[..., Path],
    write_run: Callable[..., Path],
    dialogue: Callable[..., Trajectory],
    judge: Callable[..., Judgement],
    monkeypatch: pytest.MonkeyPatch,
) -> Runs:
    """Two runs of an evaluation task, and two of a training task."""
    monkeypatch.chdir(tmp_path)
    solved = dialogue("fail", "pass", task="b_train_multiturn", tokens=(10, 5))
    of_task = {"tasks": {"b_train_multiturn": 2}, "of_tasks": {"split": "train"}}
    evaluated = [small_run(name, model=name) for name in ("one", "two")]
    trained = [
        write_run(tmp_path / name, [solved], [judge(solved)], model=name, **of_task)
        for name in ("practised", "trained")
    ]
    return [Path(path.name) for path in evaluated], [Path(path.name) for path in trained]


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_of_training_runs_alone_is_refused(runs: Runs, name: str) -> None:
    """With a sentence that names the task; nothing is written."""
    with pytest.raises(TurnwiseError, match=r"^These are runs on training problems alone.*b_train_multiturn"):
        BOARDS[name](runs[1])
    assert not Path("page").exists() and not Path("plot.json").exists()


@pytest.mark.parametrize("name", ["publish", "plot"])
def test_training_runs_are_left_out_of_a_board_and_named(
    runs: Runs, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """What is written is what the other runs alone make, byte for byte."""
    board = Path("page", "index.html") if name == "publish" else Path("plot.json")
    BOARDS[name](runs[0])
    alone = board.read_bytes()
    capfd.readouterr()
    BOARDS[name]([*runs[1], *runs[0]])
    assert board.read_bytes() == alone
    assert "practised on b_train_multiturn, trained on b_train_multiturn." in capfd.readouterr().err


def test_training_tasks_of_runs_with_others_are_not_compared(runs: Runs, capfd: pytest.CaptureFixture[str]) -> None:
    """A run of such a task alone has none in common with another."""
    with pytest.raises(TurnwiseError, match="The runs have no task in common: one has t; practised has none"):
        compare_command([runs[0][0], runs[1][0]])
    assert "training problems compare no models: left out b_train_multiturn." in capfd.readouterr().err


@pytest.mark.parametrize("options", [{}, {"table": "behaviour"}, {"curve": "k"}, {"style": "github"}])
def test_the_score_of_a_training_run_says_what_it_is(runs: Runs, options: dict[str, str]) -> None:
    """In every form of the table, and not of other runs."""
    sentence = "b_train_multiturn: training problems, all of them, so this score is no evaluation"
    assert sentence in score_command(runs[1], **options)
    assert "training problems" not in score_command(runs[0], **options)
