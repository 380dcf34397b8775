"""``turnwise noise``: the report of a plan and of a run, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.noise import Plan, noise_command
from turnwise.errors import TurnwiseError
from turnwise.records.settings import RunSettings


def _rows(said: str) -> dict[str, list[str]]:
    return {line.split()[0]: line.split()[1:] for line in said.splitlines() if "@" in line.partition(" ")[0]}


def test_a_plan_has_a_row_for_each_k_its_samples_support() -> None:
    """More draws of the same samples are noisier over samples; a draw of all has nothing to show there."""
    said = noise_command(None, Plan(165, 20, 0.3))
    rows = _rows(said)
    assert list(rows) == ["pass@1", "pass@10", "pass@20"]
    assert [row[0] for row in rows.values()] == ["165"] * 3
    assert rows["pass@1"][1] == "30.0"
    assert float(rows["pass@1"][4]) < float(rows["pass@10"][4])
    assert (rows["pass@20"][2], rows["pass@20"][4]) == ("-", "-")
    assert "Assumed: pass@1 of 30," in said


def test_a_plan_has_the_n_at_k_asked_for() -> None:
    """k counts replies: 10@30 of three turns submits all of ten dialogues, as pass@10; tests that mislead cost 1@30."""
    rows = _rows(said := noise_command(None, Plan(165, 40, 0.3), n_at_k="1@30,10@30"))
    assert list(rows)[:3] == ["1@30", "10@30", "pass@1"]
    assert rows["10@30"] == rows["pass@10"]
    misled = _rows(noise_command(None, Plan(165, 40, 0.3, misled=0.5), n_at_k="1@30"))
    assert float(misled["1@30"][1]) < float(rows["1@30"][1]) < float(rows["pass@10"][1])
    assert misled["pass@10"] == rows["pass@10"]
    assert "Of n@k, with at most 3 turns: on every problem 10 % of wrong programs pass the public tests" in said
    assert "public tests" not in noise_command(None, Plan(165, 40, 0.3))


@pytest.mark.parametrize(
    ("plan", "n_at_k", "message"),
    [
        (Plan(20, 5), "1@30", "n_at_k 1@30 draws 10 dialogues of 3 turns per problem, but samples_per_problem is 5"),
        (Plan(20, 5), "x", "n_at_k 'x' is not written n@k"),
        (Plan(20, 5, turns=0), "", "--turns is 0: a dialogue has at least 1"),
        (Plan(20, 10**9), "", "--samples is 1000000000: give 10000 at most"),
        (Plan(20, 2000), "1@30", "--samples is 2000: give 1000 at most with --n_at_k"),
        (Plan(20, 5, misled=2.0), "", "a share of 2 of wrong programs must lie between 0 and 1"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: Plan, n_at_k: str, message: str) -> None:
    """In one sentence."""
    with pytest.raises(TurnwiseError, match=message):
        noise_command(None, plan, n_at_k=n_at_k)


def test_a_run_has_a_row_for_each_metric_of_its_full_budget(
    tmp_path: Path, write_run: Any, dialogue: Any, judge: Any
) -> None:
    """Its own n@k and those asked for; the standard errors are those of its counts."""
    dialogues = [
        dialogue("pass" if sample < right else "fail", problem=problem, sample=sample)
        for problem, right in (("b/a", 1), ("b/b", 2))
        for sample in range(4)
    ]
    judged = [judge(one) for one in dialogues if one.turns[-1].public_report.public_passed]
    settings = RunSettings(samples_per_problem=4, n_at_k=("1@2",))
    options = {"tasks": {"t": 1}, "problems": ["b/a", "b/b"], "settings": settings}
    path = write_run(tmp_path / "run", dialogues, judged, **options)
    rows = _rows(noise_command(path, None, n_at_k="1@3"))
    assert list(rows) == ["1@2", "1@3", "pass@1", "pass@4"]
    # sqrt((0.1875 + 0.25) / 3) / 2 over samples; the two scores 0.25 and 0.5 differ by 0.25 over problems
    assert rows["pass@1"][:4] == ["2", "37.5", "19.1", "12.5"]
    assert (rows["pass@4"][1:]) == ["100.0", "-", "-", "-", "-"]


def test_one_problem_has_no_noise_to_measure(tmp_path: Path, write_run: Any, dialogue: Any) -> None:
    """It is said instead of a table."""
    path = write_run(tmp_path / "run", [dialogue("fail")], tasks={"t": 1})
    assert "fewer than two problems are known" in noise_command(path, None)


@pytest.mark.parametrize(
    ("path", "plan", "message"),
    [
        (None, None, "takes a run folder, or --problems and --samples"),
        (Path("run"), Plan(5, 5), "takes a run folder, or --problems and --samples"),
        (Path("nowhere"), None, "'nowhere' is no run folder"),
        (None, Plan(1, 5), "--problems is 1: a run to come has at least 2"),
        (None, Plan(20, 0), "--samples is 0: a run to come has at least 1"),
        (None, Plan(20, 5, 1.0), "No noise to expect: a score of 1 "),
    ],
)
def test_what_has_no_noise_is_refused(path: Path | None, plan: Plan | None, message: str) -> None:
    """One sentence with the value."""
    with pytest.raises(TurnwiseError, match=message):
        noise_command(path, plan)
