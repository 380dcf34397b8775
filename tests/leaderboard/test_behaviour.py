"""Behaviour by turn: counted by hand on dialogues written by hand, shown in tables that say what they count."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.behaviour import code_characters, load_chrf, mean_of, measure, ratio
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import score_runs
from turnwise.records.judgement import Judgement
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]
ENVIRONMENT = Environment("planned 1", "none", "CPython 3.11", "tokens")


def _places(*judgements: Judgement) -> dict[tuple[str, str, int, int, str], Judgement]:
    return {one.place: one for one in judgements}


def test_failures_and_repairs_are_counted_by_turn(dialogue: MakeDialogue, judge: MakeJudgement) -> None:
    """Repaired is what was wrong a turn before; what passed the public tests and has no verdict is neither."""
    repaired = dialogue("fail", "pass", sample=0)
    hidden = dialogue("fail", "pass", sample=1)
    unjudged = dialogue("fail", "pass", sample=2)
    lost = dialogue("fail", "none", "fail", sample=3)
    judgements = _places(judge(repaired), judge(hidden, verdict=Verdict.TIME_LIMIT, public_passed=True))
    found = measure([repaired, hidden, unjudged, lost], judgements, similarity=ratio)
    assert [turn.dialogues for turn in found.turns] == [4, 4, 1]
    assert [turn.solved for turn in found.turns] == [0, 1, 0]
    assert [(turn.repairs, turn.repairable) for turn in found.turns] == [(0, 0), (1, 3), (0, 1)]
    second = found.turns[1]
    assert (second.verdicts[Verdict.TIME_LIMIT], second.verdicts[Verdict.NO_CODE], second.public_only) == (1, 1, 1)
    assert found.ends == {End.PUBLIC_PASSED: 3, End.TURN_LIMIT: 1}
    assert [len(turn.similarities) for turn in found.turns] == [0, 3, 0]  # no program, no similarity


def _turn(*replies: str, tokens: int | None = 5) -> Turn:
    calls = tuple(
        Call((Message("user", "statement", "statement", "Solve."),), Reply(text, "", "stop", 9, tokens))
        for text in replies
    )
    report = Report("b/a", Verdict.WRONG_ANSWER, (TestResult(0, Verdict.WRONG_ANSWER),), None, ENVIRONMENT)
    return Turn(calls, "p", report)


def test_answers_are_measured_without_thinking_and_with_reasoning() -> None:
    """The share of what stands outside fences, the length of all that a turn says, its tokens where they are told."""
    code = "```python\n12345\n```"
    turns = (
        _turn("<think>" + "x" * 99 + "</think>" + code),
        _turn("y" * 19, code, tokens=7),
        replace(_turn("", tokens=None), program=None),
    )
    found = measure([Trajectory("t", "b/a", 0, 0, turns, End.TURN_LIMIT)], {}, similarity=ratio)
    assert [turn.characters for turn in found.turns] == [[19], [38], [0]]
    assert [turn.non_code for turn in found.turns] == [[1 - 6 / 19], [1 - 6 / 38], []]
    assert [turn.tokens for turn in found.turns] == [[5], [14], []]
    assert (mean_of([]), mean_of([1, 2])) == (None, 1.5)
    assert code_characters("a ```b``` c\n~~~\nde\n~~~\n```\nf") == 4  # inline code is text; an open fence is code


def test_similar_programs_are_near_one() -> None:
    """Equal ones are 1; renaming one of many tokens changes little, another program much; chrF as RLEF has it."""
    program = "\n".join(f"value{number} = compute({number})" for number in range(20))
    other = "import sys\nfor line in sys.stdin:\n    print(line[::-1])\n"
    assert ratio(program, program) == 1.0 and ratio("", "a") == 0.0
    assert 0.97 < ratio(program, program.replace("value7", "renamed")) < 1.0
    assert ratio(program, other) < 0.3
    chrf = load_chrf()
    assert chrf(program, program) == pytest.approx(1.0)
    assert 0.9 < chrf(program, program.replace("value7", "renamed")) < 1.0 and chrf(program, other) < 0.3


def test_the_tables_show_turns_and_ends(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """Percent of the turn's dialogues; the measure of similarity stands over its column; what is open has a star."""
    right = dialogue("fail", "pass", problem="b/a", tokens=(9, 5))
    open_ = dialogue("none", "pass", problem="b/b", tokens=(9, 5))
    path = write_run(tmp_path / "run", [right, open_], [judge(right)], tasks={"t": 2}, problems=["b/a", "b/b"])
    turns, ends = paper_tables("behaviour", score_runs(read_runs([path])))
    assert [row[2:11] for row in turns.rows] == [
        ("1", "2", "0.0", "50.0", "0.0", "0.0", "0.0", "0.0", "50.0"),
        ("2", "2", "100.0*", "0.0", "0.0", "0.0", "0.0", "0.0", "0.0"),
    ]
    assert turns.headers[11:] == ("repaired", "difflib", "non-code", "characters", "tokens")
    assert turns.rows[1][11] == "100.0" and turns.rows[1][-1] == "5" and turns.rows[0][12] == ""
    assert ends.rows == (("m", "t", "2", "100.0", *["0.0"] * 5),)
    assert paper_tables("behaviour-chrf", score_runs(read_runs([path])))[0].headers[12] == "chrF"
