"""Tables read as a person reads them: whole texts, which columns there are, what is marked and footnoted."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.report import score_runs
from turnwise.leaderboard.tables import ScoredTask, notes, render_scores, run_names
from turnwise.records.choices import By
from turnwise.records.judgement import Judgement
from turnwise.records.report import Verdict
from turnwise.records.run_folder import AskedProblem
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import End, Reply, Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]

EASY = AskedProblem(id="b/a", difficulty="EASY")
HARD = AskedProblem(id="b/b", difficulty="HARD", flags=["multiple_answers"])


@pytest.fixture
def whole(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement) -> list[ScoredTask]:
    """Two problems, two samples, two turns: all known, solved 1 + 0 times in turn 1 and 2 + 1 times in turn 2."""
    first = [dialogue("pass", tokens=(100, 9)), dialogue("fail", "pass", sample=1, tokens=(200, 7))]
    second = [
        dialogue("fail", "fail", problem="b/b", tokens=(1, 1)),
        dialogue("fail", "pass", problem="b/b", sample=1, tokens=(1, 1)),
    ]
    path = write_run(
        tmp_path / "whole",
        [*first, *second],
        [judge(one) for one in (*first, second[1])],
        tasks={"t": 2},
        problems=[EASY, HARD],
        settings=RunSettings(samples_per_problem=2, n_at_k=("1@4",)),
    )
    return score_runs(read_runs([path]))


@pytest.fixture
def partial(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement) -> list[ScoredTask]:
    """Two problems, three turns: one solved in turn 2, the request for the other's second turn failed."""
    solved = dialogue("fail", "pass", tokens=(10, 5))
    lost = dialogue("fail", problem="b/b", end=End.REQUEST_FAILED)
    return score_runs(
        read_runs([write_run(tmp_path / "partial", [solved, lost], [judge(solved)], problems=["b/a", "b/b"])])
    )


def test_a_table_by_task(whole: list[ScoredTask]) -> None:
    """A row for the task and one for its problems with one right answer; k replies make k // 2 dialogues."""
    assert render_scores(whole) == (
        "model    task                       problems    dialogues    1@1    1@2    1@4    pass@1    pass@2"
        "    calls    tokens\n"
        "-------  -----------------------  ----------  -----------  -----  -----  -----  --------  --------"
        "  -------  --------\n"
        "m        t                            2 of 3            4   25.0   75.0  100.0      75.0     100.0"
        "        7  504 + 27\n"
        "m        - with one right answer           1            2   50.0  100.0  100.0     100.0     100.0"
    )


def test_a_table_by_difficulty(whole: list[ScoredTask]) -> None:
    """The task, then its levels; no costs, which are not kept by problem."""
    assert render_scores(whole, by=By.DIFFICULTY) == (
        "model    task                 problems    dialogues    1@1    1@2    1@4    pass@1    pass@2\n"
        "-------  -----------------  ----------  -----------  -----  -----  -----  --------  --------\n"
        "m        t                      2 of 3            4   25.0   75.0  100.0      75.0     100.0\n"
        "m        - difficulty EASY           1            2   50.0  100.0  100.0     100.0     100.0\n"
        "m        - difficulty HARD           1            2    0.0   50.0  100.0      50.0     100.0"
    )


def test_levels_of_taco_without_a_problem_are_named(whole: list[ScoredTask]) -> None:
    """They have no row, and no zero."""
    (one,) = whole
    record = replace(one.outcomes.record, benchmark="taco", task="taco_multiturn")
    of_taco = replace(one, outcomes=replace(one.outcomes, record=record))
    note = "m, taco_multiturn: no problem of difficulty MEDIUM, MEDIUM_HARD, VERY_HARD is among those asked."
    assert render_scores([of_taco], by=By.DIFFICULTY).splitlines()[-1] == note
    assert "is among those asked" not in render_scores([of_taco]) + render_scores(whole, by=By.DIFFICULTY)


def test_a_table_by_turns(whole: list[ScoredTask]) -> None:
    """A row for each budget; a metric that the samples cannot support there is empty, costs are of the whole."""
    assert render_scores(whole, by=By.TURNS) == (
        "model    task      turns    problems    dialogues    1@4    pass@1    pass@2    calls    tokens\n"
        "-------  ------  -------  ----------  -----------  -----  --------  --------  -------  --------\n"
        "m        t             1      2 of 3            4             25.0      50.0\n"
        "m        t             2      2 of 3            4  100.0      75.0     100.0        7  504 + 27"
    )


def test_what_is_missing_is_marked_and_footnoted(partial: list[ScoredTask]) -> None:
    """A star where the bounds differ, and below the table how many, why, and between what the scores are."""
    assert render_scores(partial) == (
        "model    task      problems    dialogues    1@1     1@2     1@3    pass@1    calls\n"
        "-------  ------  ----------  -----------  -----  ------  ------  --------  -------\n"
        "m        t           2 of 3            2    0.0  100.0*  100.0*    100.0*        3\n"
        "* m, t: 1 of 2 dialogues are missing (1 request failed), which is not counted as wrong; all wrong to all "
        "right: 1@2 50.0 to 100.0 (1 of 2 problems), 1@3 50.0 to 100.0 (1 of 2 problems), "
        "pass@1 50.0 to 100.0 (1 of 2 problems)."
    )


def test_nothing_known_is_called_missing(tmp_path: Path, write_run: WriteRun) -> None:
    """Never 0.0, where nothing has been sampled."""
    (scored,) = score_runs(read_runs([write_run(tmp_path / "run", [], tasks={"t": 1})]))
    assert render_scores([scored]) == (
        "model    task      problems    dialogues    pass@1    calls\n"
        "-------  ------  ----------  -----------  --------  -------\n"
        "m        t           1 of 2            1   missing        0\n"
        "* m, t: 1 of 1 dialogues are missing (1 not sampled), which is not counted as wrong; all wrong to all right: "
        "pass@1 0.0 to 100.0 (0 of 1 problems)."
    )


def test_all_reasons_are_counted(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue) -> None:
    """Each kind of gap with its number."""
    dialogues = [
        dialogue(end=End.REQUEST_FAILED),
        dialogue("fail", sample=1, end=End.INFRASTRUCTURE_FAILURE),
        dialogue("pass", sample=2),
        dialogue("pass", sample=3),
        dialogue("fail", "fail", "fail", sample=4),
    ]
    path = write_run(tmp_path / "run", dialogues, settings=RunSettings(samples_per_problem=6))
    (note,) = notes(score_runs(read_runs([path])))
    assert note.startswith(
        "* m, t: 5 of 6 dialogues are missing (1 infrastructure failure, 2 not judged, 1 not sampled, 1 request failed)"
    )


def test_recorded_answers_that_end_early_are_told(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue) -> None:
    """Their last program is the submission, so nothing is missing."""
    path = write_run(tmp_path / "run", [dialogue("fail", end=End.NO_MORE_ANSWERS)])
    assert notes(score_runs(read_runs([path]))) == [
        "m, t: in 1 of 1 dialogues the recorded answers end before the turn limit; the last one is the submission."
    ]


def test_outcomes_without_a_program_are_told(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue) -> None:
    """Replies without code, contexts outgrown and replies cut are named: they count as wrong, not as missing."""
    overflown = dialogue("fail", problem="b/b", end=End.CONTEXT_OVERFLOW)
    cuts = [Reply("```python", finish_reason=end) for end in ("length", "MAX_TOKENS")]
    calls = tuple(replace(overflown.turns[0].calls[0], reply=reply) for reply in cuts)
    overflown = replace(overflown, turns=(replace(overflown.turns[0], calls=calls),))
    path = write_run(tmp_path / "run", [dialogue("fail", "fail", "none"), overflown], problems=["b/a", "b/b"])
    assert notes(score_runs(read_runs([path]))) == [
        "m, t: 1 of 2 dialogues ended with a reply without code, which counts as wrong.",
        "m, t: 1 of 2 dialogues outgrew the model's context, which counts as wrong.",
        "m, t: the token limit cut 2 of 5 replies.",
    ]


def test_the_profile_has_a_column_unless_all_are_default(
    tmp_path: Path, whole: list[ScoredTask], write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """Published rows are compared with the profile that fits."""
    other = write_run(
        tmp_path / "z", [dialogue("fail", "fail", "fail")], settings=RunSettings(profile="zheng"), model="n"
    )
    lines = render_scores([*whole, *score_runs(read_runs([other]))]).splitlines()
    assert [line.split()[:3] for line in (lines[0], lines[2], lines[-1])] == [
        ["model", "profile", "task"],
        ["m", "default", "t"],
        ["n", "zheng", "t"],
    ]
    assert "profile" not in render_scores(whole)


def test_tokens_have_a_column_only_where_they_are_known(
    tmp_path: Path, whole: list[ScoredTask], write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """A run whose model does not tell has a dash beside one whose model does, and no column alone."""
    silent = score_runs(read_runs([write_run(tmp_path / "silent", [dialogue("fail", "fail", "fail")], model="silent")]))
    assert "tokens" not in render_scores(silent)
    lines = render_scores([*whole, *silent]).splitlines()
    assert (lines[0].split()[-1], lines[2].split()[-3:], lines[-1].split()[-2:]) == (
        "tokens",
        ["504", "+", "27"],
        ["3", "-"],
    )


def test_tasks_of_different_turns_share_their_columns(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """A cell that a task has no estimate for is empty; a single turn has no 1@2."""
    several, single = dialogue("fail", "pass"), dialogue("pass", task="u")
    path = write_run(tmp_path / "run", [several, single], [judge(several), judge(single)], tasks={"t": 2, "u": 1})
    assert render_scores(score_runs(read_runs([path]))) == (
        "model    task      problems    dialogues    1@1    1@2    pass@1    calls\n"
        "-------  ------  ----------  -----------  -----  -----  --------  -------\n"
        "m        t           1 of 2            1    0.0  100.0     100.0        2\n"
        "m        u           1 of 2            1                   100.0        1"
    )


def test_runs_of_one_model_carry_the_names_of_their_folders(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """A model with one run is called by its name alone."""
    solved = [dialogue("fail", "fail", "fail")]
    paths = [write_run(tmp_path / name, solved, model=model) for name, model in (("a", "m"), ("b", "m"), ("c", "n"))]
    assert run_names(score_runs(read_runs(paths))) == {paths[0]: "m (a)", paths[1]: "m (b)", paths[2]: "n"}


def test_a_wrong_submission_is_no_gap(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """A program that passed the public tests and failed the hidden ones is 0.0 without a star."""
    wrong = dialogue("pass")
    judgement = judge(wrong, -1, Verdict.WRONG_ANSWER, public_passed=True)
    scored = score_runs(read_runs([write_run(tmp_path / "run", [wrong], [judgement], tasks={"t": 1})]))
    assert render_scores(scored).splitlines()[-1].split() == ["m", "t", "1", "of", "2", "1", "0.0", "1"]
    assert notes(scored) == []


def test_a_table_for_markdown(whole: list[ScoredTask]) -> None:
    """Any style of tabulate will do, with the same cells."""
    lines = render_scores(whole, by=By.DIFFICULTY, style="github").splitlines()
    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        *("m", "t", "2 of 3", "4", "25.0", "75.0", "100.0", "75.0", "100.0")
    ]
