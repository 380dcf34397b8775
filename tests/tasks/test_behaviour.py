"""Behaviour by turn: counted by hand on dialogues written by hand."""

from dataclasses import replace

import pytest

from turnwise.records.judgement import Judgement, places_of
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn
from turnwise.tasks.behaviour import bounded_ratio, code_characters, load_chrf, mean_of, measure, ratio

ENVIRONMENT = Environment("planned 1", "none", "CPython 3.11", "tokens")


VERDICTS = {"pass": Verdict.PASSED, "fail": Verdict.WRONG_ANSWER, "none": Verdict.NO_CODE}


def _dialogue(*words: str, sample: int) -> Trajectory:
    """Return a dialogue, a word for the program of each turn."""
    turns = tuple(
        replace(
            _turn("text"),
            program=None if word == "none" else f"print({number})\n",
            public_report=Report("b/a", VERDICTS[word], (TestResult(0, VERDICTS[word]),), None, ENVIRONMENT),
        )
        for number, word in enumerate(words)
    )
    return Trajectory("t", "b/a", sample, 0, turns, End.PUBLIC_PASSED if words[-1] == "pass" else End.TURN_LIMIT)


def _judged(dialogue: Trajectory, verdict: Verdict) -> Judgement:
    """Return the judgement of the last program."""
    place = places_of(dialogue)[-1]
    assert place is not None
    return Judgement(*place, verdict, public_passed=True, tests_run=2, cpu_seconds=0.5, tier="none", key="k")


def test_failures_and_repairs_are_counted_by_turn() -> None:
    """Repaired is what was wrong a turn before; what passed the public tests and has no verdict is neither."""
    repaired, hidden, unjudged = (_dialogue("fail", "pass", sample=sample) for sample in range(3))
    lost = _dialogue("fail", "none", "fail", sample=3)
    known = [_judged(repaired, Verdict.PASSED), _judged(hidden, Verdict.TIME_LIMIT)]
    judgements = {judgement.place: judgement for judgement in known}
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


def test_programs_that_repeat_a_line_are_compared_by_what_they_share() -> None:
    """difflib would take hours; others have its ratio."""
    program = "\n".join(f"value{number} = compute({number})" for number in range(40))
    for other in (program, program.replace("compute", "call"), "print(1)\n", ""):
        assert bounded_ratio(program, other, most=200_000) == ratio(program, other)
    repeated, changed = "x = 1\n" * 20_000, "x = 2\n" * 20_000
    assert bounded_ratio(repeated, changed, most=200_000) == 0.75  # three of four tokens of a line
    assert bounded_ratio(repeated, repeated, most=0) == 1.0
    chrf = load_chrf()
    assert chrf(program, program) == pytest.approx(1.0)
    assert 0.9 < chrf(program, program.replace("value7", "renamed")) < 1.0 and chrf(program, other) < 0.3
