"""What an iteration's dialogues showed: shares by hand, and the same behaviour as the tables of the papers count."""

from dataclasses import replace

import pytest

from turnwise.records.codec import from_json, to_json
from turnwise.records.judgement import Judgement, places_of
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.rlef import RewardSettings, RolloutFigures
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn
from turnwise.tasks.behaviour import measure, ratio
from turnwise.training.episodes import Episode
from turnwise.training.rlef import figures
from turnwise.training.rlef.figures import rollout_figures

_ENVIRONMENT = Environment("planned 1", "none", "CPython 3.11", "tokens")
_REWARDS = RewardSettings()
_VERDICTS = {
    "pass": Verdict.PASSED,
    "wrong": Verdict.WRONG_ANSWER,
    "broken": Verdict.COMPILE_ERROR,
    "none": Verdict.NO_CODE,
}


def _turn(word: str, number: int, tokens: int, finish: str = "stop") -> Turn:
    """Return a turn whose prompt goes on where the reply before it ended; programs differ by their number."""
    verdict = _VERDICTS[word]
    program = None if word == "none" else f"print({number})\n"
    text = "Sorry." if program is None else f"```python\n{program}```\n"
    prompt = tuple(range(10 + number * (tokens + 2)))
    reply_ids = tuple(range(len(prompt), len(prompt) + tokens))
    reply = Reply(text, "", finish, len(prompt), tokens, "", "", reply_ids, (-0.5,) * tokens, prompt)
    results = () if verdict is Verdict.NO_CODE else (TestResult(0, verdict),)
    call = Call((Message("user", "statement", "statement", "Solve."),), reply)
    return Turn((call,), program, Report("b/a", verdict, results, None, _ENVIRONMENT))


def _episode(
    *words: str,
    verdict: Verdict | None,
    rewards: tuple[float, ...] | None,
    problem: str = "b/a",
    end: End = End.TURN_LIMIT,
    tokens: int = 4,
    finish: str = "stop",
    drifted: int = 0,
) -> Episode:
    turns = tuple(_turn(word, number, tokens, finish) for number, word in enumerate(words))
    later = max(0, len(words) - 1)
    return Episode(Trajectory("t", problem, 0, 0, turns, end), verdict, rewards, drifted, later)


def _some() -> list[Episode]:
    wrong, passed = Verdict.WRONG_ANSWER, Verdict.PASSED
    episodes = [
        _episode("wrong", "pass", verdict=passed, rewards=(0.0, 1.0), end=End.PUBLIC_PASSED),
        _episode("none", "broken", "wrong", verdict=wrong, rewards=(-0.2, -0.2, -1.0), drifted=1),
        _episode("pass", verdict=wrong, rewards=(-1.0,), problem="b/guess", end=End.PUBLIC_PASSED, finish="length"),
        _episode("wrong", "none", verdict=Verdict.NO_CODE, rewards=(0.0, -1.0), tokens=8),
        _episode(verdict=None, rewards=None, end=End.CONTEXT_OVERFLOW),
        _episode("wrong", verdict=None, rewards=None, end=End.REQUEST_FAILED),
        _episode("wrong", verdict=Verdict.INFRASTRUCTURE_FAILURE, rewards=None),
    ]
    return [
        replace(episode, trajectory=replace(episode.trajectory, sample=number))
        for number, episode in enumerate(episodes)
    ]


def test_shares_are_of_the_dialogues_turns_and_replies_that_have_a_reward() -> None:
    """Seven dialogues by hand, of which three have no reward: each is counted where its docstring says."""
    shown = rollout_figures(_some(), rewards=_REWARDS, guessed=frozenset({"b/guess"}))
    assert (shown.dialogues, shown.dropped) == (
        7,
        {"no_reply": 1, "request_failed": 1, "infrastructure_failure": 1},
    )
    assert (shown.solved, shown.public_only, shown.guessed) == (1 / 4, 1 / 4, 1 / 4)
    assert shown.invalid == 3 / 8
    assert shown.cut == 1 / 8
    assert shown.drift == 1 / 4
    assert shown.mean_reward == pytest.approx((1 - 1.4 - 1 - 1) / 4)
    assert (shown.mean_turns, shown.reply_tokens) == (2.0, (6 * 4 + 2 * 8) / 8)
    assert (shown.rows, shown.sampled_tokens) == (4, 40)
    assert shown.tokens == (10 + 2 * 4 + 2) + (10 + 3 * 4 + 2 * 2) + (10 + 4) + (10 + 2 * 8 + 2)


def test_turns_have_their_own_counts() -> None:
    """Solved, invalid, verdicts and repairs of each turn; what failed hidden tests alone has their verdict."""
    first, second, third = rollout_figures(_some(), rewards=_REWARDS).turns
    assert (first.dialogues, first.solved, first.invalid, first.repairable) == (4, 0, 1, 0)
    assert first.verdicts == {"wrong_answer": 3, "no_code": 1}
    assert (second.dialogues, second.solved, second.invalid) == (3, 1, 2)
    assert (second.repairable, second.repaired) == (3, 1)
    assert second.verdicts == {"passed": 1, "compile_error": 1, "no_code": 1}
    assert (third.dialogues, third.verdicts) == (1, {"wrong_answer": 1})
    assert second.similarity == pytest.approx(ratio("print(0)\n", "print(1)\n"))


def test_a_program_that_does_not_compile_is_invalid_only_where_the_rewards_say_so() -> None:
    """The narrow reading counts replies without a program alone."""
    narrow = replace(_REWARDS, invalid_is="no_code")
    assert rollout_figures(_some(), rewards=narrow).invalid == 2 / 8


def test_turns_are_those_that_the_behaviour_table_counts() -> None:
    """Verdicts, repairs, similarity and text beside code are what an evaluation of the same dialogues shows."""
    kept = [episode for episode in _some() if episode.rewards is not None]
    judged = {}
    for episode in kept:
        place = places_of(episode.trajectory)[-1]
        if place is not None and episode.verdict is not None:
            judged[place] = Judgement(*place, episode.verdict, episode.solved, 2, 0.1, "none", "k")
    expected = measure((episode.trajectory for episode in kept), judged, similarity=ratio)
    shown = rollout_figures(kept, rewards=_REWARDS)
    assert [(turn.dialogues, turn.solved, turn.repairable, turn.repaired) for turn in shown.turns] == [
        (turn.dialogues, turn.solved, turn.repairable, turn.repairs) for turn in expected.turns
    ]
    assert [turn.verdicts for turn in shown.turns] == [dict(turn.verdicts) for turn in expected.turns]
    values = [value for turn in expected.turns for value in turn.non_code]
    assert shown.non_code == pytest.approx(sum(values) / len(values))


def test_a_seed_draws_the_dialogues_that_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many dialogues some are compared, how many is told, and equal seeds draw the same ones."""
    monkeypatch.setattr(figures, "MOST_COMPARED", 3)
    episodes = [
        _episode("wrong", "wrong", verdict=Verdict.WRONG_ANSWER, rewards=(0.0, -1.0)) if even else _some()[0]
        for even in (True, False) * 10
    ]
    episodes = [
        replace(episode, trajectory=replace(episode.trajectory, turns=_with_programs(episode, number)))
        for number, episode in enumerate(episodes)
    ]
    drawn = {rollout_figures(episodes, rewards=_REWARDS, seed=seed).turns[1].similarity for seed in range(8)}
    again = rollout_figures(episodes, rewards=_REWARDS, seed=5)
    assert again == rollout_figures(episodes, rewards=_REWARDS, seed=5)
    assert again.compared == 3
    assert len(drawn) > 1


def _with_programs(episode: Episode, number: int) -> tuple[Turn, ...]:
    first, second = episode.trajectory.turns
    return first, replace(second, program="print(0)\n" + "x = 1\n" * number)


def test_an_iteration_without_a_reward_has_no_shares() -> None:
    """Nothing is known of dialogues that were all dropped, and the line can be read back."""
    shown = rollout_figures([_some()[-1]], rewards=_REWARDS)
    assert (shown.dialogues, shown.solved, shown.invalid, shown.drift, shown.turns) == (1, None, None, None, ())
    assert from_json(RolloutFigures, to_json(shown)) == shown
