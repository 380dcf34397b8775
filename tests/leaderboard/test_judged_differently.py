"""Scores by equality beside those of checkers; rows that other answers or tests judged are never ranked together."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.compare import compare_command
from turnwise.commands.score import score_command
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.judges import ranked_together
from turnwise.leaderboard.report import render_report, score_runs, write_report
from turnwise.leaderboard.scores import Estimate
from turnwise.leaderboard.tables import BY_EQUALITY
from turnwise.records.choices import Along, By, Style
from turnwise.records.judgement import Judgement
from turnwise.records.run_folder import AskedProblem, TaskRecord
from turnwise.records.settings import JudgeRecord, RunSettings
from turnwise.records.trajectory import Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]

_SHA256 = "1a2b3c4d5e6f" + "0" * 52
BY_CHECKERS = JudgeRecord(
    "planned 1", "CPython 3.11", "tokens", 1.0, answers="checkers-1", answers_sha256=_SHA256, tests="valid"
)
BY_EQUALITY_ALONE = JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0)
IMPORTED = JudgeRecord("their judge", "", "", 0.0)


def _estimates(path: Path) -> dict[tuple[str, str, int], Estimate]:
    (scored,) = score_runs(read_runs([path]))
    return {(one.group, one.metric, one.turns): one for one in scored.estimates}


def test_both_scores_are_those_counted_by_hand(checked_run: Any) -> None:
    """Of four dialogues 3 and 1 are right, 1 and 1 by equality; what is submitted stays as the judge had it."""
    found = _estimates(checked_run("run"))

    def both(metric: str, turns: int, group: str = "all") -> tuple[float | None, float | None]:
        one = found[group, metric, turns]
        return one.value, one.by_equality

    assert both("pass@1", 2) == pytest.approx(((3 / 4 + 1 / 4) / 2, (1 / 4 + 1 / 4) / 2))
    assert both("pass@1", 1) == pytest.approx(((2 / 4 + 1 / 4) / 2, (1 / 4 + 1 / 4) / 2))
    assert both("pass@1", 2, "difficulty EASY") == pytest.approx((3 / 4, 1 / 4))
    assert both("pass@4", 2) == (1.0, 1.0) and not found["all", "pass@4", 2].differs_by_equality
    # 1@4 draws two of the four dialogues and submits one that passed the public tests, drawn at random. On b/a three
    # pass them, so each pair holds one or two, and each of the three is as often submitted: all are right, one of them
    # by equality. On b/b two pass them, of which one is right either way, and 5 of the 6 pairs hold one or both.
    assert both("1@4", 2) == pytest.approx(((1 + 5 / 12) / 2, (1 / 3 + 5 / 12) / 2))


@pytest.mark.data
def test_the_score_by_equality_is_that_of_a_judge_by_equality(tmp_path: Path, data_dir: Path) -> None:
    """On recorded answers, two of them right though not as expected, judged anew by equality and the same tests."""
    problems = ["1586_A. Windblume Ode", "1591_E. Frequency Queries", "1591_A. Life of a Flower"]
    samples = json.dumps({"codecontests_multiturn": [f"codecontests/{name}" for name in problems]})
    answers = f"path={data_dir / 'recorded' / 'codecontests.jsonl.gz'},model=QwenCoderTurbo,method=*/Direct/*"
    asked = ["-M", "replay", "-a", answers, "-t", "codecontests_multiturn", "--samples", samples]
    for command in (["run", *asked, "-o", "run"], ["judge", "run", "-o", "anew", "--answers", "equality"]):
        subprocess.run(
            [sys.executable, "-m", "turnwise", *command, "--data-dir", str(data_dir)],
            cwd=tmp_path,
            env={**os.environ, "TURNWISE_CACHE": str(tmp_path / "cache")},
            check=True,
            capture_output=True,
        )
    by_checkers, by_equality = (_estimates(tmp_path / name) for name in ("run", "anew"))
    assert {key: one.by_equality for key, one in by_checkers.items()} == {
        key: one.value for key, one in by_equality.items()
    }
    whole = by_checkers["all", "pass@1", 3]
    assert whole.value is not None and whole.by_equality == pytest.approx(whole.value - 2 / 3)


def test_the_tables_show_both_where_they_differ(checked_run: Any) -> None:
    """A row below the one that it is of, by task, difficulty and turns, and a sentence; none where nothing differs."""
    (scored,) = score_runs(read_runs([checked_run("run")]))
    for by in By:
        lines = render_report([scored], by=by).splitlines()
        end = lines[0].index("pass@1") + len("pass@1")
        equal = [line[:end].split()[-1] for line in lines[2:] if line.startswith("run ") and "by equality" in line]
        assert equal == {"task": ["25.0"], "difficulty": ["25.0"] * 2, "turns": ["25.0"] * 2}[by], by
        assert BY_EQUALITY in lines
    rows = list(csv.DictReader(io.StringIO(render_report([scored], style=Style.CSV))))
    assert {(row["metric"], row["turns"]): row["by_equality"] for row in rows if row["group"] == "all"} == {
        (one.metric, str(one.turns)): str(one.by_equality) for one in scored.estimates if one.group == "all"
    }


def test_scores_json_says_what_differs_and_who_judged(checked_run: Any) -> None:
    """The other score stands beside each that it differs from, and nowhere else."""
    path = checked_run("run")
    write_report(path, score_runs(read_runs([path])))
    (task,) = json.loads((path / "scores.json").read_text())["tasks"]
    assert (task["checked"], task["invalid_tests"]) == (1, {"b/a": 3, "b/b": 2})
    assert [task["judge"][name] for name in ("answers", "answers_sha256", "tests")] == ["checkers-1", _SHA256, "valid"]
    whole = {one["metric"]: one for one in task["estimates"] if one["group"] == "all" and one["turns"] == 2}
    assert whole["pass@1"]["by_equality"] == pytest.approx(0.25) and "by_equality" not in whole["pass@4"]


@pytest.mark.parametrize(
    ("judged_by", "of_tasks", "text"),
    [
        (
            BY_CHECKERS,
            {"checked": 1, "invalid_tests": {"b/a": 3, "b/b": 2}},
            "t: checkers or stated tolerances decide 1 of 2 problems; tests left out, since their input breaks the "
            "statement: 5.",
        ),
        (BY_CHECKERS, {}, "matcher tokens, answers checkers-1 (sha256 1a2b3c4d5e6f), tests valid, time factor 1"),
        (BY_EQUALITY_ALONE, {}, "matcher tokens, answers equality, tests all, time factor 1"),
        (
            JudgeRecord("e", "p", "tokens", 1.0, answers_sha256=_SHA256, tests="valid"),
            {},
            "matcher tokens, answers equality, tests valid (sha256 1a2b3c4d5e6f), time factor 1",
        ),
        (IMPORTED, {}, "judged by their judge."),
    ],
)
def test_the_settings_line_names_answers_and_tests(
    checked_run: Any, judged_by: JudgeRecord, of_tasks: dict[str, Any], text: str
) -> None:
    """With the digest of the set; the line above counts what that means for the task."""
    path = checked_run("run", judged_by=judged_by, of_tasks=of_tasks)
    assert text in render_report(score_runs(read_runs([path])))


def test_what_another_tool_judged_has_no_score_by_equality(checked_run: Any) -> None:
    """It is not known there, and is not taken for the same."""
    path = checked_run("run", judged_by=IMPORTED)
    assert {one.by_equality for one in _estimates(path).values()} == {None}
    assert "by equality" not in render_report(score_runs(read_runs([path])))


def test_a_run_that_equality_judged_has_one_score(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """Its tables have no second column, though the CSV says the same number twice."""
    right = dialogue("pass")
    (scored,) = score_runs(read_runs([write_run(tmp_path / "run", [right], [judge(right)], tasks={"t": 1})]))
    assert {(one.value, one.by_equality) for one in scored.estimates} == {(1.0, 1.0)}
    assert "by equality" not in render_report([scored])


def test_what_is_missing_is_missing_by_equality_too(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """One dialogue that passes decides pass@2 whatever is missing; where it does not by equality, that is not known."""
    right = dialogue("pass")
    path = write_run(
        tmp_path / "run",
        [right],
        [judge(right, checked=1)],
        tasks={"t": 1},
        settings=RunSettings(samples_per_problem=2),
        judged_by=BY_CHECKERS,
    )
    found = _estimates(path)
    assert (found["all", "pass@2", 1].value, found["all", "pass@2", 1].by_equality) == (1.0, None)
    assert (found["all", "pass@1", 1].value, found["all", "pass@1", 1].by_equality) == (1.0, 0.0)


def test_curves_have_a_score_by_equality_at_every_point(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """Along k, turns and tokens; of two dialogues both pass, one by a checker's word."""
    several = [dialogue("pass", sample=sample, tokens=(9, 1)) for sample in range(2)]
    path = write_run(
        tmp_path / "run",
        several,
        [judge(several[0]), judge(several[1], checked=1)],
        tasks={"t": 1},
        settings=RunSettings(samples_per_problem=2),
        judged_by=BY_CHECKERS,
    )
    # At 15 tokens it is one dialogue in half of the cases, and two in the others.
    expected = {Along.K: [0.5, 1], Along.TURNS: [0.5, 1], Along.TOKENS: [0.5, 0.75, 1]}
    for along, values in expected.items():
        rows = list(csv.DictReader(io.StringIO(score_command([path], curve=along, style=Style.CSV))))
        assert [float(row["by_equality"]) for row in rows] == pytest.approx(values), along
        assert [float(row["value"]) for row in rows] == pytest.approx([1] * len(values)), along


def test_a_table_of_rows_that_were_judged_differently_says_so(checked_run: Any) -> None:
    """Below it, with both judges; rows of one judge need no word."""
    paths = [checked_run("a"), checked_run("b", judged_by=BY_EQUALITY_ALONE)]
    said = render_report(score_runs(read_runs(paths)))
    assert (
        "t: rows were judged differently, so their differences are not those of the models alone: answers checkers-1 "
        "(sha256 1a2b3c4d5e6f), tests valid / answers equality, tests all."
    ) in said.splitlines()
    assert "judged differently" not in render_report(score_runs(read_runs([paths[0], checked_run("c")])))


def _task(*flags: str, **options: Any) -> TaskRecord:
    asked = (AskedProblem("b/a", "", flags),)
    return TaskRecord("t", "b", "test", 1, "single_turn", "0", 1, asked, **options)


@pytest.mark.parametrize(
    ("judges", "task", "groups"),
    [
        ((BY_CHECKERS, BY_EQUALITY_ALONE), _task(checked=1), [[0], [1]]),
        ((BY_CHECKERS, BY_EQUALITY_ALONE), _task(invalid_tests={"b/a": 1}), [[0], [1]]),
        ((BY_CHECKERS, BY_EQUALITY_ALONE), _task("multiple_answers"), [[0, 1]]),
        ((BY_CHECKERS, BY_EQUALITY_ALONE), _task("special_judge"), [[0, 1]]),
        ((BY_CHECKERS, BY_EQUALITY_ALONE, BY_CHECKERS), _task(checked=1), [[0, 2], [1]]),
        ((BY_EQUALITY_ALONE, IMPORTED), _task(checked=1), [[0, 1]]),
    ],
)
def test_rows_are_ranked_together_only_where_it_is_true(
    judges: tuple[JudgeRecord, ...], task: TaskRecord, groups: list[list[int]]
) -> None:
    """Not by other answers or tests, unless no verdict of the task can depend on these."""
    assert ranked_together([(one, task) for one in judges]) == groups


@pytest.mark.parametrize(
    "other",
    [
        {"answers": "mine"},
        {"answers_sha256": "f" * 64},
        {"tests": "all"},
    ],
)
def test_compare_gives_no_place_across_judges(checked_run: Any, other: dict[str, str]) -> None:
    """Each group has a table of its own, a run that is alone in its group a score without a place, JSON likewise."""
    fields = {"answers": "checkers-1", "answers_sha256": _SHA256, "tests": "valid", **other}
    apart = JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0, **fields)
    paths = [checked_run("a"), checked_run("b"), checked_run("c", judged_by=apart)]
    said = compare_command(paths)
    first, second = (
        "answers checkers-1 (sha256 1a2b3c4d5e6f), tests valid",
        (f"answers {fields['answers']} (sha256 {fields['answers_sha256'][:12]}), tests {fields['tests']}"),
    )
    assert f"\nt: runs that were judged differently have no places among each other: {first} / {second}." in said
    assert said.startswith(f"t, {first}\n") and f"\nt, {second}\n" in said
    rows = {line.split()[0]: line for line in said.splitlines() if line.split()[:1] in (["a"], ["b"], ["c"])}
    assert "(1-2)" in rows["a"] and "(1-2)" in rows["b"] and "(" not in rows["c"]
    rankings = json.loads(compare_command(paths, as_json=True))["tasks"]["t"]
    assert {tuple(one["runs"]) for one in rankings} == {tuple(map(str, paths[:2])), (str(paths[2]),)}
    assert {tuple(rank) for one in rankings if len(one["runs"]) == 1 for rank in one["ranks"]} == {("value",)}


def test_compare_ranks_runs_of_one_judge_together(checked_run: Any) -> None:
    """One table, with places for all, and no word of judges."""
    said = compare_command([checked_run(name) for name in "abc"])
    assert said.startswith("t\n") and said.count("(1-3)") >= 3 and "judged differently" not in said


def test_compare_names_both_judges_of_two_runs(checked_run: Any) -> None:
    """Their difference is shown, and what it is not."""
    paths = checked_run("a"), checked_run("b", judged_by=BY_EQUALITY_ALONE)
    sentence = (
        "t: A (answers checkers-1 (sha256 1a2b3c4d5e6f), tests valid) and B (answers equality, tests all) were judged "
        "differently, so their difference is not that of the models alone."
    )
    said = compare_command(paths).splitlines()
    assert sentence in said and 't: judge tests is "valid" in A, "all" in B.' in said
    assert sentence in json.loads(compare_command(paths, as_json=True))["notes"]
    assert "judged differently" not in compare_command([paths[0], checked_run("c")])
