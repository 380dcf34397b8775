"""The table rlef-ablation, whole: trainings by rlef before and after, from runs whose dialogues are written by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import find_all, read_runs
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import score_runs
from turnwise.records.choices import Over
from turnwise.records.rlef import RlefSettings
from turnwise.records.settings import RunSettings
from turnwise.records.training import TrainedModel, describe_trained

MakeTraining = Callable[..., Path]
BASE = "org/Base-8B"


@pytest.fixture
def training(tmp_path: Path, write_run: Any, dialogue: Any, judge: Any) -> MakeTraining:
    """training(name, {iteration: solved}, ...): a folder with evaluations, ``solved`` of four problems in each."""

    def make(name: str, solved: dict[int, int], *, turns: int = 3, trained_turns: int = 3, **changes: Any) -> Path:
        output = tmp_path / name
        for iteration, count in solved.items():
            words = ("fail",) * (turns - 1)
            dialogues = [
                dialogue(*words, "pass" if number < count else "fail", problem=f"b/{number}") for number in range(4)
            ]
            path = write_run(
                output / "evaluations" / f"{iteration:06d}",
                dialogues,
                [judge(dialogue) for dialogue in dialogues[:count]],
                tasks={"t": turns},
                problems=[f"b/{number}" for number in range(4)],
                settings=RunSettings(),
            )
            settings = RlefSettings(value=changes.get("value", "turn"))
            trained = TrainedModel(
                turnwise="0",
                method="rlef",
                base_model=BASE,
                data_sha256="ab" * 32,
                tasks=("c_train",),
                train_on_test=(),
                settings=settings,
                step=iteration,
                command="turnwise rlef",
                feedback=changes.get("feedback", "failed_tests"),
                turns=trained_turns,
            )
            model = {"model": f"{name}/checkpoint-{iteration}", **describe_trained(trained)}
            data = json.loads((path / "run.json").read_text())
            data["model"] = model if iteration else {"model": BASE, "iteration": "0"}
            (path / "run.json").write_text(json.dumps(data))
        (output / "rlef.json").write_text("{}")
        return output

    return make


def _rows(*paths: Path, over: Over | None = None) -> list[tuple[str, ...]]:
    return list(paper_tables("rlef-ablation", score_runs(read_runs(find_all(paths).runs)), over=over)[0].rows)


def test_trainings_stand_in_the_order_of_the_paper(training: MakeTraining) -> None:
    """By turns, value and feedback; the last iteration counts, whichever was the best."""
    paths = [
        training("single", {0: 1, 60: 2}, trained_turns=1),
        training("token", {0: 1, 60: 3}, value="token"),
        training("random", {0: 1, 30: 4, 60: 1}, feedback="random"),
        training("none", {0: 1, 60: 0}, feedback="none", value="none"),
        training("true", {0: 1, 20: 2, 60: 4}),
    ]
    tables = paper_tables("rlef-ablation", score_runs(read_runs(find_all(paths).runs)))
    assert tables[0].title == (
        "Trainings by rlef, percent solved before the first iteration and after the last; gain with its 95 % interval "
        "over problems; told is the feedback of the evaluation"
    )
    described = ("training", "folder", "feedback", "value", "turns", "task", "told", "metric")
    assert tables[0].headers == (*described, "before", "after", "gain", "iterations", "problems", "samples")
    rest = ("60", "4", "1")
    assert tables[0].rows == (
        ("RLEF", "true", *_told("failed_tests", "turn"), "25.0", "100.0", "+75.0 [+0.0, +100.0]", *rest),
        ("RLEF, random feedback", "random", *_told("random", "turn"), "25.0", "25.0", "+0.0 [-49.0, +49.0]", *rest),
        (
            "RLEF, token-level value",
            "token",
            *_told("failed_tests", "token"),
            "25.0",
            "75.0",
            "+50.0 [-10.2, +100.0]",
            *rest,
        ),
        (
            "RLEF, w/o execution feedback, no value",
            "none",
            *_told("none", "none"),
            "25.0",
            "0.0",
            "-25.0 [-100.0, +28.1]",
            *rest,
        ),
        ("single-turn RL", "single", *_told("failed_tests", "turn", 1), "25.0", "50.0", "+25.0 [-28.1, +100.0]", *rest),
    )


def _told(feedback: str, value: str, turns: int = 3) -> tuple[str, ...]:
    return (feedback, value, str(turns), "t", "failed_tests", "1@3")


def test_the_published_rows_stand_apart_with_their_source(training: MakeTraining) -> None:
    """Those of R's tables 1 and 6b: valid, test, and where the number stands."""
    measured, published = paper_tables(
        "rlef-ablation", score_runs(read_runs([*find_all([training("a", {0: 1, 9: 2})]).runs]))
    )
    assert published.headers[-3:] == ("valid", "test", "source")
    assert {row[1]: row[-3:] for row in published.rows} == {
        "base": ("8.9", "10.5", "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 1"),
        "RLEF": ("17.2", "16.1", "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 1"),
        "RLEF w/o execution feedback in training": ("12.2", "10.9", "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 6b"),
        "RLEF token-level value": ("13.1", "13.7", "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 6b"),
        "single-turn RL": ("10.2", "10.9", "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 4/6b"),
    }
    assert "not measured here" in published.title and "published" not in measured.title


def test_one_turn_is_1_at_1(training: MakeTraining) -> None:
    """An evaluation of one turn, before and after, of a training by one turn."""
    (row,) = _rows(training("single", {0: 1, 5: 3}, turns=1, trained_turns=1))
    assert row[0] == "single-turn RL" and row[7:10] == ("1@1", "25.0", "75.0")


def test_runs_of_checkpoints_are_taken_as_evaluations_are(training: MakeTraining, tmp_path: Path) -> None:
    """Wherever they lie: what was before is the run of the base model by its name; without one there is no gain."""
    output = training("out", {0: 1, 60: 3})
    (output / "evaluations" / "000060").rename(tmp_path / "after")
    (row,) = _rows(tmp_path / "after")
    assert row[8:11] == ("", "75.0", "")
    (output / "evaluations" / "000000").rename(tmp_path / "before")
    (row,) = _rows(tmp_path / "after", tmp_path / "before", over=Over.PROBLEMS)
    assert row[8].startswith("25.0") and row[10].startswith("+50.0 [")


def test_two_runs_of_one_iteration_are_refused(training: MakeTraining, tmp_path: Path) -> None:
    """Both are named; neither is silently taken."""
    output = training("out", {0: 1, 60: 3})
    other = training("other", {60: 2})
    run = other / "evaluations" / "000060"
    run.joinpath("run.json").write_text(run.joinpath("run.json").read_text().replace("other/", "out/"))
    with pytest.raises(TurnwiseError, match=r"000060' and .*000060' are both runs of iteration 60"):
        _rows(output, other)


def test_runs_of_no_training_are_refused(training: MakeTraining, small_run: Callable[..., Path]) -> None:
    """With what the table needs; odd numbers of a stranger's are of no training."""
    path = small_run("plain")
    with pytest.raises(TurnwiseError, match="rlef-ablation needs a run of a model that turnwise rlef trained"):
        _rows(path)
    data = json.loads((path / "run.json").read_text())
    data["model"] |= {"trained_by": "rlef", "training_turns": "9" * 5000, "iteration": "\u0663"}
    (path / "run.json").write_text(json.dumps(data))
    with pytest.raises(TurnwiseError, match="needs a run of a model"):
        _rows(path)


def test_settings_say_how_the_model_was_trained(training: MakeTraining) -> None:
    """In score's settings, from what run.json has."""
    score = score_command([training("out", {60: 3}, feedback="random")])
    assert (
        f"trained by rlef from {BASE} on c_train (data {'ab' * 6}), iteration 60, with at most 3 turns, random "
        "feedback and value turn"
    ) in score


def test_settings_say_how_a_model_of_one_turn_was_trained(training: MakeTraining) -> None:
    """It was told nothing, since no turn followed."""
    score = score_command([training("out", {60: 3}, feedback="", trained_turns=1)])
    assert "iteration 60, with at most 1 turn and value turn" in score
