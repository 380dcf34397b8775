"""Judgements: lines that read back, a hash per program text, torn lines skipped."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwise.errors import TurnwiseError
from turnwise.records.codec import from_json, to_line
from turnwise.records.judgement import Judgement, places_of, program_hash, read_judgements
from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.trajectory import End, Trajectory, Turn

JUDGEMENT = Judgement("t", "b/p", 2, 1, "0123456789abcdef", Verdict.WRONG_ANSWER, True, 7, 0.25, "none", "key")
REPORT = Report("b/p", Verdict.NO_CODE, (), None, Environment("planned", "none", "no Python", "tokens"))

texts = st.text(max_size=8)


@given(
    st.builds(
        Judgement,
        texts,
        texts,
        st.integers(0),
        st.integers(0),
        texts,
        st.sampled_from(Verdict),
        st.booleans(),
        st.integers(0, 2**31),
        st.floats(0, allow_infinity=False),
        texts,
        texts,
        st.floats(0, allow_infinity=False),
        st.floats(0, allow_infinity=False),
        texts,
    )
)
def test_a_judgement_reads_back_from_its_line(judgement: Judgement) -> None:
    """One line of ASCII, whatever stands in it."""
    line = to_line(judgement)
    assert line.isascii() and "\n" not in line
    assert from_json(Judgement, json.loads(line)) == judgement


@pytest.mark.parametrize(
    ("limit", "slowest", "is_near"), [(4.0, 1.9, False), (4.0, 2.0, True), (4.0, 4.1, True), (0.0, 0.0, False)]
)
def test_half_the_limit_is_near_it(limit: float, slowest: float, is_near: bool) -> None:
    """A CPU of half the speed would need twice as long; where no limit is known nothing is near it."""
    assert replace(JUDGEMENT, limit_seconds=limit, slowest_seconds=slowest).is_near_limit == is_near


@pytest.mark.parametrize("verdict", Verdict)
def test_only_one_verdict_is_a_pass(verdict: Verdict) -> None:
    """Every other one, the machine's included, is none."""
    judgement = Judgement("t", "b/p", 0, 0, "", verdict, True, 1, 0.0, "none", "")
    assert judgement.passed == (verdict.value == "passed")


def test_a_program_is_known_by_its_text() -> None:
    """The first 16 digits of sha256, for text with half a character pair too; any change is another program."""
    assert program_hash("") == "e3b0c44298fc1c14"
    assert program_hash("print('ä')\n") == program_hash("print('ä')\n") != program_hash("print('ä')")
    assert len(program_hash("\ud800\0")) == 16


def test_each_turn_with_a_program_has_its_place() -> None:
    """Task, problem, sample, turn, hash; equal programs of two turns have two places, no program has none."""
    turns = tuple(Turn((), program, REPORT) for program in ("x", None, "x"))
    one, none, other = places_of(Trajectory("t", "b/p", 3, 0, turns, End.TURN_LIMIT))
    assert one == ("t", "b/p", 3, 0, program_hash("x"))
    assert none is None
    assert other == ("t", "b/p", 3, 2, program_hash("x"))
    judgement = Judgement("t", "b/p", 3, 2, program_hash("x"), Verdict.PASSED, True, 1, 0.0, "none", "")
    assert judgement.place == other


LINE = to_line(JUDGEMENT).encode()


@pytest.mark.parametrize(
    "torn",
    [
        LINE[: len(LINE) // 2],
        b"\0" * 64,
        LINE + b"\0\0",
        b"",
        b"\xff\xfe",
    ],
)
def test_a_torn_line_is_skipped(tmp_path: Path, torn: bytes) -> None:
    """What stands before and after it counts, and it itself is judged again."""
    (tmp_path / "main.jsonl").write_bytes(b"\n".join([LINE, torn, LINE, b""]))
    assert list(read_judgements(tmp_path)) == [JUDGEMENT, JUDGEMENT]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (b"[1]", "input should be an object, not [1]"),
        (b"null", "input should be an object, not None"),
        (b"{}", "task: field required"),
        (LINE.replace(b"wrong_answer", b"unheard_of"), "verdict: input should be 'passed', "),
        (LINE.replace(b'"tier"', b'"tear"'), "tier: field required"),
        (LINE.replace(b'"key":"key"', b'"key":"key","more":1'), "more: unknown field"),
    ],
)
def test_a_line_that_is_whole_and_no_judgement_is_named(tmp_path: Path, other: bytes, reason: str) -> None:
    """The file, the line, the field and the remedy are said: it may be what a newer version wrote."""
    path = tmp_path / "main.jsonl"
    path.write_bytes(b"\n".join([LINE, other, LINE, b""]))
    with pytest.raises(TurnwiseError) as caught:
        list(read_judgements(tmp_path))
    assert str(caught.value).startswith(f"The verdicts {str(path)!r}, line 2, cannot be read ({reason}")
    assert str(caught.value).endswith("): remove that line, and turnwise judge judges its program again.")


def test_a_last_line_without_its_end_counts_if_it_is_whole(tmp_path: Path) -> None:
    """Killed between text and line break: the judgement is there."""
    (tmp_path / "main.jsonl").write_bytes(LINE)
    assert list(read_judgements(tmp_path)) == [JUDGEMENT]


def test_workers_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Other files are not judgements; no folder at all is none."""
    for name, turn in (("b.jsonl", 2), ("a.jsonl", 1), ("a.txt", 3)):
        line = LINE.replace(b'"turn":1', b'"turn":%d' % turn)
        (tmp_path / name).write_bytes(line + b"\n")
    assert [judgement.turn for judgement in read_judgements(tmp_path)] == [1, 2]
    assert list(read_judgements(tmp_path / "nothing")) == []
