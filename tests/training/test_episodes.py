"""Episodes and their rows, by hand: what the model said, token by token, and nothing else, is learnt."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwise.json_text import json_line
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn
from turnwise.training.episodes import PROMPT, Episode, Row, episode_json, read_episode, rows_of, tokens_of

_ENVIRONMENT = Environment("fake", "A", "python", "tokens")
_PASSED = Report("b/p", Verdict.PASSED, (TestResult(0, Verdict.PASSED, 0.0, 0),), None, _ENVIRONMENT)
_ASKED = (Message("user", "statement", "statement", "Add."),)


def _call(prompt: tuple[int, ...], reply: tuple[int, ...], *, cut: bool = False) -> Call:
    """A call with the log-probability -token / 8 of each token of the reply."""
    said = Reply(
        "text",
        finish_reason="length" if cut else "stop",
        token_ids=reply,
        logprobs=tuple(-token / 8 for token in reply),
        prompt_token_ids=prompt,
    )
    return Call(_ASKED, said)


def _episode(*turns: tuple[Call, ...], **changes: Any) -> Episode:
    calls = sum(map(len, turns))
    trajectory = Trajectory(
        task="t",
        problem="b/p",
        sample=3,
        seed=7,
        turns=tuple(Turn(calls, "print()", _PASSED) for calls in turns),
        end=End.TURN_LIMIT,
    )
    given = Episode(trajectory, Verdict.PASSED, (*[0.0] * (calls - 1), 1.0))
    return replace(given, **changes)


def test_calls_that_continue_each_other_are_one_row() -> None:
    """Each token has the number of the call that said it; feedback and what the template adds have none."""
    first, second = _call((1, 2), (3, 4)), _call((1, 2, 3, 4, 5, 6), (7,))
    assert rows_of(_episode((first,), (second,))) == [
        Row((1, 2, 3, 4, 5, 6, 7), (-1, -1, 0, 0, -1, -1, 1), (0, 0, -3 / 8, -4 / 8, 0, 0, -7 / 8))
    ]


def test_both_calls_of_a_turn_are_numbered() -> None:
    """A turn that reasons first has two; the numbers go on over turns."""
    thought, reply = _call((1,), (2,)), _call((1, 2, 3), (4,))
    (row,) = rows_of(_episode((thought, reply), (_call((1, 2, 3, 4, 5), (6, 7)),)))
    assert row.calls == (-1, 0, -1, 1, -1, 2, 2)


def test_a_history_that_the_template_edits_makes_a_row_of_each_call() -> None:
    """Thinking is left out of the second prompt; the third goes on from the second reply."""
    thinking, edited, joined = _call((1,), (9, 9, 2)), _call((1, 2, 3), (9, 4)), _call((1, 2, 3, 9, 4, 5), (6,))
    assert rows_of(_episode((thinking,), (edited,), (joined,))) == [
        Row((1, 9, 9, 2), (-1, 0, 0, 0), (0, -9 / 8, -9 / 8, -2 / 8)),
        Row((1, 2, 3, 9, 4, 5, 6), (-1, -1, -1, 1, 1, -1, 2), (0, 0, 0, -9 / 8, -4 / 8, 0, -6 / 8)),
    ]


def test_a_prompt_that_is_shorter_than_what_was_before_begins_a_row() -> None:
    """It may be a part of it: a history whose end was cut off."""
    rows = rows_of(_episode((_call((1, 2), (3, 4)),), (_call((1, 2, 3), (5,)),)))
    assert [row.input_ids for row in rows] == [(1, 2, 3, 4), (1, 2, 3, 5)]


def test_a_reply_that_was_cut_has_no_end_token_of_its_own() -> None:
    """What the template ends it with is read, not said."""
    cut, after = _call((1,), (2, 3), cut=True), _call((1, 2, 3, 99, 4), (5,))
    (row,) = rows_of(_episode((cut,), (after,)))
    assert row.calls == (-1, 0, 0, -1, -1, 1)


def test_a_reply_without_a_token_is_in_no_row() -> None:
    """Its prompt is; the calls after it keep their numbers."""
    (row,) = rows_of(_episode((_call((1,), ()),), (_call((1, 2), (3,)),)))
    assert row == Row((1, 2, 3), (-1, -1, 1), (0, 0, -3 / 8))


def test_a_dialogue_without_a_call_has_no_row() -> None:
    """Its first prompt was too long."""
    nothing = _episode(rewards=None, verdict=None)
    assert rows_of(nothing) == [] and nothing.calls == () and not nothing.solved and not nothing.is_spoiled


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"token_ids": None}, "no token ids or no log-probabilities"),
        ({"logprobs": None}, "no token ids or no log-probabilities"),
        ({"prompt_token_ids": None}, "no token ids or no log-probabilities"),
        ({"prompt_token_ids": ()}, "a prompt without a token"),
        ({"logprobs": (-1.0,)}, "has 2 tokens and 1 log-probabilities"),
        ({"logprobs": (-1.0, math.nan)}, "a log-probability that is none"),
        ({"logprobs": (-1.0, -math.inf)}, "a log-probability that is none"),
        ({"logprobs": (-1.0, 0.5)}, "a log-probability that is none"),
    ],
    ids=str,
)
def test_a_reply_that_cannot_be_learnt_is_named(change: dict[str, Any], reason: str) -> None:
    """With its dialogue: which reply, which sample of which problem."""
    broken = _call((1, 2, 3), (4, 5))
    broken = replace(broken, reply=replace(broken.reply, **change))
    with pytest.raises(ValueError, match=f"reply 2 of the dialogue 3 about b/p .*{reason}"):
        rows_of(_episode((_call((1,), (2,)),), (broken,)))


_TOKENS = st.lists(st.integers(0, 20), max_size=6)


@given(st.lists(st.tuples(_TOKENS, _TOKENS, st.booleans()), min_size=1, max_size=5), st.integers(0, 20))
def test_rows_hold_exactly_what_was_sampled(calls: list[tuple[list[int], list[int], bool]], first: int) -> None:
    """In order, under its call, with its log-probability; each prompt stands before its reply, whole and as it was."""
    prompts: list[tuple[int, ...]] = []
    history: list[int] = [first]
    made = []
    for added, reply, is_edited in calls:
        prompt = (*([first] if is_edited else history), *added)
        prompts.append(prompt)
        made.append((_call(prompt, tuple(reply)),))
        history = [*prompt, *reply]
    rows = rows_of(_episode(*made))
    for number, (_, reply, _) in enumerate(calls):
        said = [
            (token, logprob)
            for row in rows
            for token, call, logprob in zip(row.input_ids, row.calls, row.logprobs, strict=True)
            if call == number
        ]
        assert said == [(token, -token / 8) for token in reply]
        for row in rows:
            if number in row.calls:
                assert row.input_ids[: row.calls.index(number)] == prompts[number]
    spoken = [call for row in rows for call in row.calls if call != PROMPT]
    assert spoken == sorted(spoken)
    assert all(row.calls[0] == PROMPT for row in rows)
    assert all(logprob == 0 for row in rows for call, logprob in zip(row.calls, row.logprobs, strict=True) if call < 0)


def test_an_episode_is_the_same_after_it_was_written() -> None:
    """Ids, log-probabilities to the last bit, rewards, verdict."""
    call = _call((1, 2), (3,))
    call = replace(call, reply=replace(call.reply, logprobs=(-0.1234567890123456789,)))
    episode = _episode((call,), (_call((1, 2, 3, 4), (5,)),), drifted=1, later=1)
    assert read_episode(json.loads(json_line(episode_json(episode)))) == episode
    spoiled = _episode((call,), rewards=None, verdict=None)
    assert read_episode(json.loads(json_line(episode_json(spoiled)))) == spoiled and spoiled.is_spoiled


def _changed(path: str, value: object) -> Any:
    data: Any = json.loads(json_line(episode_json(_episode((_call((1, 2), (3,)),)))))
    place = data
    *parents, last = path.split(".")
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("rewards", [1.0, 1.0], "1 calls have 2 rewards"),
        ("rewards", [1e999], "a reward is no number"),
        ("rewards", ["1"], "rewards"),
        ("verdict", None, "not judged"),
        ("verdict", "splendid", "verdict"),
        ("drifted", 2, "2 of 0 later calls"),
        ("later", 1, "0 of 1 later calls"),
        ("later", -1, "later calls"),
        ("trajectory.end", "request_failed", "not judged"),
        ("trajectory.schema", 99, "schema"),
        ("trajectory.seed", 2**80, "seed"),
        ("trajectory.turns.0.calls.0.reply.token_ids", [-3], "a token has the id"),
        ("trajectory.turns.0.calls.0.reply.prompt_token_ids", [], "a prompt without a token"),
        ("trajectory.turns.0.calls.0.reply.logprobs", [0.5], "none"),
        ("more", 1, "unknown"),
    ],
)
def test_what_is_no_episode_is_refused(path: str, value: object, reason: str) -> None:
    """Somebody else's file, or a damaged one: named by ValueError, never taken."""
    with pytest.raises(ValueError, match=reason):
        read_episode(_changed(path, value))


@pytest.mark.parametrize("data", [None, [], "episode", 3, {}, {"trajectory": {}}])
def test_what_is_no_record_is_refused(data: object) -> None:
    """Of whatever kind it is."""
    with pytest.raises(ValueError, match=r"."):
        read_episode(data)


def test_tokens_are_those_of_the_calls() -> None:
    """Prompt, reply, log-probabilities of each."""
    assert tokens_of(_episode((_call((1,), (2,)), _call((1, 2, 3), (8,)))).trajectory) == [
        ((1,), (2,), (-0.25,)),
        ((1, 2, 3), (8,), (-1.0,)),
    ]
