"""Trajectories: JSON that reads back, seeds that do not depend on order, nothing measured in them."""

import json
from dataclasses import replace

import pytest

from turnwise.records.codec import RecordError, from_json, to_json, to_line
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.trajectory import (
    Call,
    Context,
    End,
    Message,
    Reply,
    Trajectory,
    Turn,
    read_reply,
    read_trajectory,
)
from turnwise.tasks.dialogue import dialogue_seed

REPORT = Report(
    "b/p",
    Verdict.WRONG_ANSWER,
    (TestResult(0, Verdict.WRONG_ANSWER, 0.25, 10_000_000, "out", ""),),
    None,
    Environment("reference 1", "none", "CPython 3.11", "tokens"),
)
TURN = Turn(
    (Call((Message("user", "statement", "statement", "Solve \ud800 \0"),), Reply("text", "thought", "length", 5, 7)),),
    "print(1)",
    REPORT,
)


def test_a_trajectory_reads_back_from_its_line() -> None:
    """Everything but measured costs, which are left out before."""
    turn = replace(TURN, public_report=REPORT.without_measurements())
    trajectory = Trajectory("t", "b/p", 3, 42, (turn, turn), End.TURN_LIMIT)
    data = json.loads(to_line(trajectory))
    again = from_json(Trajectory, data)
    assert again == trajectory
    assert to_line(again) == to_line(trajectory)
    assert again.turns[0].calls == TURN.calls
    assert again.turns[0].public_report.public[0].cpu_seconds == 0.0
    assert list(data) == ["schema", "task", "problem", "sample", "seed", "turns", "end", "submission_turn"]
    assert (data["end"], data["submission_turn"]) == ("turn_limit", 1)


@pytest.mark.parametrize("end", [End.PUBLIC_PASSED, End.TURN_LIMIT, End.NO_MORE_ANSWERS])
def test_a_dialogue_without_a_turn_ended_in_no_answer(end: End) -> None:
    """It would count as wrong; where the context was full, or the request failed, there may be none."""
    with pytest.raises(ValueError, match=f"ended as {end} without a turn"):
        read_trajectory(json.loads(to_line(Trajectory("t", "b/p", 0, 0, (), end))))
    assert not read_trajectory(json.loads(to_line(Trajectory("t", "b/p", 0, 0, (), End.CONTEXT_OVERFLOW)))).turns


def test_no_program_in_the_last_turn_is_no_submission() -> None:
    """An earlier program does not stand in for it."""
    last = Turn(TURN.calls, None, REPORT)
    assert Trajectory("t", "b/p", 0, 0, (TURN, last), End.TURN_LIMIT).submission_turn is None
    assert Trajectory("t", "b/p", 0, 0, (), End.REQUEST_FAILED).is_missing


def test_every_call_has_its_own_seed_and_always_the_same() -> None:
    """The seed is a fixed hash: it never changes between versions, and fits 31 bits."""
    seeds = {
        dialogue_seed(run, problem, sample, turn, call)
        for run in (0, 1)
        for problem in ("a", "b")
        for sample in (0, 1)
        for turn in (0, 1)
        for call in (0, 1)
    }
    assert len(seeds) == 32 and all(0 <= seed < 2**31 for seed in seeds)
    assert dialogue_seed(0, "codecontests/x", 1, 2) == dialogue_seed(0, "codecontests/x", 1, 2)


def test_token_ids_of_prompts_are_written_where_they_are_known() -> None:
    """Beside those of the reply; a trajectory without them has the bytes that it always had."""
    plain = Reply("x", token_ids=(7, 9), logprobs=(-0.5, -1.0))
    assert list(to_json(plain))[-2:] == ["token_ids", "logprobs"]
    known = replace(plain, prompt_token_ids=(1, 2, 2**31 - 1))
    data = json.loads(to_line(known))
    assert data["prompt_token_ids"] == [1, 2, 2**31 - 1] and read_reply(data) == known


@pytest.mark.parametrize("field", ["prompt_token_ids", "token_ids"])
@pytest.mark.parametrize("value", [-1, 2**31, 1.0, "1", True, None])
def test_what_is_no_token_id_is_refused(field: str, value: object) -> None:
    """Whoever trains on them looks them up in a table of embeddings."""
    with pytest.raises(ValueError, match=r"a token has the id|integer|token_ids"):
        read_reply({**to_json(Reply("x")), field: [0, value]})


def test_what_is_in_memory_is_no_part_of_a_record() -> None:
    """It is not written, is refused where a file has it, and makes no two records differ."""
    reply = Reply("x", context=Context((1,), (2,)))
    assert reply == Reply("x") and "context" not in to_json(reply)
    assert read_reply(to_json(reply)).context is None
    for value in (None, {"prompt": [1], "reply": [2]}):
        with pytest.raises(RecordError, match="unknown field"):
            from_json(Reply, {**to_json(reply), "context": value})
