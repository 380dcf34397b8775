"""A report in each style: the same numbers, costs with the seconds of judging, settings; JSON and CSV for programs."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.report import render_report, score_runs
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.choices import By, Style
from turnwise.records.judgement import Judgement
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]


@pytest.fixture
def path(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement) -> Path:
    """A run of one problem over two turns: solved in the second, for 0.5 s of judging; another not sampled."""
    solved = dialogue("fail", "pass", tokens=(10, 5))
    settings = RunSettings(n_at_k=("1@2",))
    return write_run(
        tmp_path / "run", [solved], [judge(solved)], tasks={"t": 2}, problems=["b/a", "b/b"], settings=settings
    )


@pytest.fixture
def scored(path: Path) -> list[ScoredTask]:
    """Its scores."""
    return score_runs(read_runs([path]))


def test_a_report_for_github(scored: list[ScoredTask]) -> None:
    """A table, then each sentence as a paragraph; the seconds of judging stand beside the other costs."""
    lines = render_report(scored, style=Style.GITHUB).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], lines[2])]
    assert dict(zip(*cells, strict=True)) == {
        "model": "m",
        "task": "t",
        "problems": "2 of 3",
        "dialogues": "2",
        "1@1": "0.0*",
        "1@2": "100.0*",
        "pass@1": "100.0*",
        "calls": "2",
        "tokens": "20 + 10",
        "judge s": "0.5",
    }
    assert lines[3] == "" and lines[4].startswith("* m, t: 1 of 2 dialogues are missing")
    assert lines[-2] == "" and lines[-1].startswith("Settings: profile default, at most 2 turns")


def test_a_report_for_latex_is_a_table_and_comments(scored: list[ScoredTask]) -> None:
    """Nothing but the table is typeset."""
    body, _, after = render_report(scored, style=Style.LATEX).partition("\\end{tabular}\n")
    assert body.startswith("\\begin{tabular}{llrrrrrrrr}\n\\toprule\n")
    assert all(line.startswith("%") for line in after.splitlines()) and "% Settings: profile default" in after


def test_csv_has_a_row_for_each_estimate(scored: list[ScoredTask]) -> None:
    """Every field of the estimate with bounds, the costs of its task, and the settings; unknown is empty."""
    rows = list(csv.DictReader(io.StringIO(render_report(scored, style=Style.CSV))))
    estimates = scored[0].estimates
    assert [(row["group"], row["metric"], int(row["turns"])) for row in rows] == [
        (one.group, one.metric, one.turns) for one in estimates
    ]
    for row, one in zip(rows, estimates, strict=True):
        assert row["value"] == ("" if one.value is None else repr(one.value))
        assert (float(row["lower_bound"]), float(row["upper_bound"])) == (one.lower_bound, one.upper_bound)
        assert (row["model"], row["run"], row["task"]) == ("m", "run", "t")
        assert (row["model_calls"], row["prompt_tokens"], row["judge_cpu_seconds"]) == ("2", "20", "0.5")
        assert row["settings"].startswith("profile default, at most 2 turns")


def test_json_is_the_document_of_the_folder(path: Path) -> None:
    """What is printed is what is written to scores.json, and nothing else."""
    said = score_command([path], style="json")
    assert json.loads(said) == json.loads((path / "scores.json").read_text())


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("by", By)
def test_every_style_takes_every_order(scored: list[ScoredTask], style: Style, by: By) -> None:
    """By task, difficulty and turns."""
    assert "1@2" in render_report(scored, by=by, style=style)


def test_only_text_says_what_was_written(path: Path) -> None:
    """The other styles are read by programs."""
    assert [style for style in Style if "Written: " in score_command([path], style=style)] == [Style.TEXT]


def test_a_run_that_is_named_twice_is_shown_twice(path: Path) -> None:
    """And what to do about its gaps is said once."""
    said = score_command([path, path])
    assert said.count("lacks dialogues: its command") == 1
    assert len([line for line in said.splitlines() if line.startswith("m  ")]) == 2


def test_an_unknown_style_is_refused(path: Path) -> None:
    """Before anything is read or written."""
    with pytest.raises(TurnwiseError) as caught:
        score_command([path], style="html")
    assert str(caught.value) == "--format is 'html': choose one of text, github, latex, csv, json."
    assert not (path / "scores.json").exists()


def test_no_name_in_a_table_is_more_than_a_name(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue) -> None:
    """What turns text around, ends a line or a cell is escaped in each style that people read."""
    name = "m\u202e\n\x1b[31m|x"
    settings: dict[str, Any] = {"profile": "p\u202e\n"}
    path = write_run(tmp_path / "run", [dialogue("fail")], tasks={"t": 1}, model=name, settings=RunSettings(**settings))
    for style in (Style.TEXT, Style.GITHUB, Style.LATEX):
        said = render_report(score_runs(read_runs([path])), style=style)
        assert all(line.isprintable() for line in said.splitlines())
        assert "\\u202e" in said or "textbackslash{}u202e" in said
