"""The intervals of a report: those asked for, under the name of their method, in text and in scores.json."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.records.judgement import Judgement
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]
WriteSmallRun = Callable[..., Path]


def test_intervals_stand_beside_the_scores(small_run: WriteSmallRun) -> None:
    """Those asked for, with a sentence that names them; none where there is none to be had, or none is wanted."""
    path = small_run("run")
    over_samples = score_command([path])
    assert over_samples.splitlines()[2].split()[6:] == [
        *("0.0", "+65.8", "50.0", "±50.0", "50.0", "±50.0", "50.0", "±50.0", "100.0", "3", "28", "+", "12")
    ]
    assert "\n95 % intervals: Wilson over samples; jackknife and Wilson over samples.\n" in over_samples
    for interval in ("problems", "none"):  # one problem has no spread
        said = score_command([path], interval=interval)
        assert "±" not in said and "% intervals" not in said
        assert said.startswith((path / "tables" / "by_task.txt").read_text().rstrip("\n"))


def test_an_unknown_interval_is_refused(small_run: WriteSmallRun) -> None:
    """With those that there are."""
    with pytest.raises(TurnwiseError) as caught:
        score_command([small_run("run")], interval="wald")
    assert (
        str(caught.value)
        == "--interval is 'wald': choose one of samples, problems, contests, zheng, zheng-with-replacement, rlef, none."
    )


@pytest.mark.parametrize(
    ("interval", "method"),
    [
        ("zheng", "10,000 resamples without replacement, as in 2410.08105"),
        ("zheng-with-replacement", "10,000 resamples with replacement, as in 2410.08105"),
        ("rlef", "200 resamples of results, as in RLEF"),
    ],
)
def test_the_papers_intervals_have_their_name_and_no_claim(
    interval: str, method: str, tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """In brackets, since they need not hold the score; in scores.json only where asked for; the same each time."""
    names = [f"b/{number}" for number in range(40)]
    dialogues = [
        dialogue("pass" if sample < number % 5 else "fail", problem=name, sample=sample)
        for number, name in enumerate(names)
        for sample in range(4)
    ]
    judged = [judge(one) for one in dialogues if one.turns[-1].public_report.public_passed]
    settings = RunSettings(samples_per_problem=4)
    path = write_run(tmp_path / "run", dialogues, judged, tasks={"t": 1}, problems=names, settings=settings)
    said = score_command([path], interval=interval)
    (cell,) = re.findall(r" 50\.0 \[(\d\d\.\d), (\d\d\.\d)\]", said)
    assert 30 < float(cell[0]) < 50 < float(cell[1]) < 70
    assert f"\nIntervals: {method}; for comparison with the paper, no coverage is claimed.\n" in said
    assert "95 % intervals" not in said
    (task,) = json.loads((path / "scores.json").read_text())["tasks"]
    of_passes = {one["metric"]: one["intervals"][interval] for one in task["estimates"]}
    assert {one["method"] for one in of_passes.values()} == {method}
    # A draw of all four samples: without replacement nothing varies, with it the scores lie below the exact one.
    lower, upper = of_passes["pass@4"]["lower"], of_passes["pass@4"]["upper"]
    assert (lower, upper) == (0.8, 0.8) if interval == "zheng" else lower < upper <= 0.8
    assert score_command([path], interval=interval) == said
    score_command([path])
    (task,) = json.loads((path / "scores.json").read_text())["tasks"]
    assert all(interval not in one["intervals"] for one in task["estimates"])


def test_a_table_of_a_paper_has_intervals_where_they_are_asked_for(small_run: WriteSmallRun) -> None:
    """None by default, RLEF's in brackets, ours as reaches; a curve has none of a paper."""
    path = small_run("run")
    plain = score_command([path], table="turns")
    assert "±" not in plain and "[" not in plain and "ntervals" not in plain
    assert re.search(r"\d \[\d+\.\d, \d+\.\d\]", score_command([path], table="turns", interval="rlef"))
    assert "±" in score_command([path], table="turns", interval="samples")
    with pytest.raises(TurnwiseError, match="--curve k has no interval of a paper: choose one over samples"):
        score_command([path], curve="k", interval="rlef")
