"""The best of a grid is chosen on other problems than it is reported on, and labelled where it is not."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.grid import grid_tables, heat_map
from turnwise.leaderboard.report import score_runs
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.judgement import Judgement
from turnwise.records.settings import RunSettings, Sampling
from turnwise.records.trajectory import End, Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]
MakeCell = Callable[..., list[ScoredTask]]
PROBLEMS = [f"b/{number}" for number in range(8)]


@pytest.fixture
def cell(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement) -> MakeCell:
    """cell(name, {task: problems solved}): a scored run of one sample a problem, with ``settings`` of the cell.

    Dialogues about the problems in ``missing`` failed at their request.
    """

    def make(name: str, solved: Mapping[str, str], *, missing: str = "", **settings: Any) -> list[ScoredTask]:
        found, judgements = [], []
        for task, digits in solved.items():
            for problem in PROBLEMS:
                if problem[-1] in missing:
                    found.append(dialogue(end=End.REQUEST_FAILED, problem=problem, task=task))
                    continue
                one = dialogue("pass" if problem[-1] in digits else "fail", problem=problem, task=task)
                found.append(one)
                judgements += [judge(one)] if problem[-1] in digits else []
        chosen = RunSettings(**settings)
        path = write_run(
            tmp_path / name, found, judgements, tasks=dict.fromkeys(solved, 1), problems=PROBLEMS, settings=chosen
        )
        data = json.loads((path / "run.json").read_text())
        for record in data["tasks"]:
            record["strategy"] = "cot" if settings else "single_turn"
            record["split"] = "valid" if "valid" in record["task"] else "test"
        (path / "run.json").write_text(json.dumps(data))
        return score_runs(read_runs([path]))

    return make


def _best(scored: list[ScoredTask]) -> list[dict[str, str]]:
    _, best = grid_tables(scored)
    return [dict(zip(best.headers, row, strict=True)) for row in best.rows]


def test_the_best_is_chosen_on_valid_and_reported_on_test(cell: MakeCell) -> None:
    """What is best on test itself is labelled in-sample; the gain is over no prompts."""
    scored = [
        *cell("none+none", {"c_valid": "0", "c": "01"}),
        *cell("lucky+none", {"c_valid": "1", "c": "0123456"}, reasoning=("lucky",)),
        *cell("solid+none", {"c_valid": "0123", "c": "0123"}, reasoning=("solid",)),
    ]
    found = [row for row in _best(scored) if row["task"] == "c"]
    assert [(row["chosen on"], row["combination"], row["solved"]) for row in found] == [
        ("valid", "solid+none", "50.0"),
        ("in-sample", "lucky+none", "87.5"),
    ]
    assert (found[0]["there"], found[0]["reported on"], found[0]["none+none"], found[0]["gain"]) == (
        "50.0",
        "test",
        "25.0",
        "+25.0",
    )
    assert [row["chosen on"] for row in _best(scored) if row["task"] == "c_valid"] == ["in-sample"]


def test_without_a_valid_split_each_half_chooses_for_the_other(cell: MakeCell) -> None:
    """The halves are fixed by the problems' ids and share none: what is best on one by luck shows its score there."""
    first = "".join(number for number in "01234567" if _half(cell, f"b/{number}"))
    second = "".join(number for number in "01234567" if number not in first)
    assert first and second
    scored = [
        *cell("none+none", {"t": ""}),
        *cell("first+none", {"t": first}, reasoning=("first",)),
        *cell("second+none", {"t": second[0]}, reasoning=("second",)),
    ]
    found = {row["chosen on"]: row for row in _best(scored)}
    assert (found["half A"]["combination"], found["half A"]["there"], found["half A"]["solved"]) == (
        "first+none",
        "100.0",
        "0.0",
    )
    assert found["half B"]["combination"] == "second+none" and found["half B"]["solved"] == "0.0"
    assert found["in-sample"]["combination"] == "first+none"


def test_a_cell_gains_nothing_by_what_it_lacks(cell: MakeCell) -> None:
    """Cells are compared on the problems that all know: half a cell is not best by its easy half."""
    scored = [
        *cell("none+none", {"c": "0"}),
        *cell("half+none", {"c": "012"}, reasoning=("half",), missing="4567"),
        *cell("solid+none", {"c": "0123"}, reasoning=("solid",)),
        *cell("nothing+none", {"c": ""}, reasoning=("nothing",), missing="01234567"),
    ]
    (found,) = [row for row in _best(scored) if row["chosen on"] == "in-sample"]
    assert (found["combination"], found["there"], found["solved"], found["gain"]) == (
        "solid+none",
        "100.0",
        "100.0",
        "+75.0",
    )
    assert (
        "c, in-sample: 4 problems are left out, since dialogues about them are missing"
        in grid_tables(scored)[1].notes[-1]
    )
    assert grid_tables([one for one in scored if not one.outcomes.missing])[1].notes == ()


def _half(cell: MakeCell, problem: str) -> bool:
    from turnwise.leaderboard.grid import _is_first_half

    return _is_first_half(problem)


def test_heat_map_data_have_every_axis(cell: MakeCell) -> None:
    """A row for each cell and task, with its estimate."""
    scored = cell(
        "x", {"t": "01"}, reasoning=("a", "b"), instruction="c", feedback="ldb", sampling=Sampling(temperature=0.2)
    )
    (row,) = json.loads(heat_map(scored))["cells"]
    wanted = {
        "cell": "x",
        "task": "t",
        "reasoning": ["a", "b"],
        "instruction": "c",
        "feedback": "ldb",
        "temperature": 0.2,
        "max_turns": 1,
        "metric": "pass@1",
        "value": 0.25,
        "asked": 8,
    }
    assert {name: row[name] for name in wanted} == wanted


def test_a_metric_that_is_not_there_is_refused(cell: MakeCell) -> None:
    """With the run that lacks it."""
    scored = [*cell("none+none", {"t": "0"}), *cell("x+none", {"t": "0"}, reasoning=("x",))]
    with pytest.raises(TurnwiseError, match=r"--metric is 'pass@7', which '.*none\+none' has not"):
        grid_tables(scored, metric="pass@7")
    assert len(grid_tables(scored[:1])) == 1  # one cell is no choice
