"""What a dialogue earns, call by call (arXiv 2410.02089, section 2.2)."""

import pytest

from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.rlef import RewardSettings
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn
from turnwise.training.rewards import final_reward, is_invalid, rewards_of, turn_reward

_WHERE = Environment("a test", "none", "no Python", "tokens")
_CALL = Call((Message("user", "statement", "", "Say it."),), Reply("said"))
REWARDS = RewardSettings()


def _report(verdict: Verdict, *, hidden: bool = False) -> Report:
    results = () if verdict in (Verdict.NO_CODE, Verdict.COMPILE_ERROR) else (TestResult(0, verdict),)
    return Report("b/p", verdict, results, () if hidden else None, _WHERE)


def _turn(verdict: Verdict, *, calls: int = 1) -> Turn:
    return Turn((_CALL,) * calls, None if verdict is Verdict.NO_CODE else "program", _report(verdict))


def _dialogue(*turns: Turn, end: End = End.TURN_LIMIT) -> Trajectory:
    return Trajectory("t", "b/p", 0, 0, turns, end)


def _rewards(last: Verdict, *turns: Turn, settings: RewardSettings = REWARDS) -> tuple[float, ...] | None:
    return rewards_of(_dialogue(*turns), _report(last, hidden=True), settings)


@pytest.mark.parametrize(
    ("verdict", "reward"),
    [
        (Verdict.PASSED, 1.0),
        (Verdict.WRONG_ANSWER, -1.0),
        (Verdict.TIME_LIMIT, -1.0),
        (Verdict.COMPILE_ERROR, -1.0),
        (Verdict.NO_CODE, -1.0),
        (Verdict.INFRASTRUCTURE_FAILURE, None),
    ],
)
def test_the_end_is_all_tests_or_nothing(verdict: Verdict, reward: float | None) -> None:
    """A last turn without valid code has -1 alone; a machine that failed says nothing."""
    assert final_reward(_report(verdict, hidden=True), REWARDS) == reward
    assert _rewards(verdict, _turn(verdict)) == (None if reward is None else (reward,))


def test_public_tests_alone_earn_nothing() -> None:
    """A report that asked for no hidden test is no success."""
    assert final_reward(_report(Verdict.PASSED), REWARDS) == -1.0


@pytest.mark.parametrize(
    ("verdict", "strict", "lenient"),
    [
        (Verdict.NO_CODE, -0.2, -0.2),
        (Verdict.COMPILE_ERROR, -0.2, 0.0),
        (Verdict.RUNTIME_ERROR, 0.0, 0.0),
        (Verdict.WRONG_ANSWER, 0.0, 0.0),
    ],
)
def test_an_earlier_turn_without_valid_code_costs(verdict: Verdict, strict: float, lenient: float) -> None:
    """What does not compile is none, unless the settings say so."""
    turn, other = _turn(verdict), RewardSettings(invalid_is="no_code")
    assert (turn_reward(turn, REWARDS), turn_reward(turn, other)) == (strict, lenient)
    assert (is_invalid(turn, REWARDS), is_invalid(turn, other)) == (strict < 0, lenient < 0)
    assert _rewards(Verdict.PASSED, turn, _turn(Verdict.PASSED)) == (strict, 1.0)


def test_a_turn_of_two_calls_earns_with_its_second() -> None:
    """The reasoning earns nothing, at the end as before it."""
    turns = (_turn(Verdict.NO_CODE, calls=2), _turn(Verdict.WRONG_ANSWER), _turn(Verdict.WRONG_ANSWER, calls=2))
    assert _rewards(Verdict.WRONG_ANSWER, *turns) == (0.0, -0.2, 0.0, 0.0, -1.0)


def test_other_numbers_are_given_as_they_are() -> None:
    """All three are settings."""
    settings = RewardSettings(solved=5.0, failed=0.5, invalid=-3.0)
    turns = (_turn(Verdict.NO_CODE), _turn(Verdict.PASSED))
    assert _rewards(Verdict.PASSED, *turns, settings=settings) == (-3.0, 5.0)
    assert _rewards(Verdict.TIME_LIMIT, *turns, settings=settings) == (-3.0, 0.5)


@pytest.mark.parametrize("end", list(End))
def test_what_was_spoiled_has_no_reward(end: End) -> None:
    """A failed request or machine is never -1; a dialogue that outgrew its context is."""
    rewards = rewards_of(_dialogue(_turn(Verdict.NO_CODE), end=end), _report(Verdict.NO_CODE, hidden=True), REWARDS)
    assert rewards == (None if end in (End.REQUEST_FAILED, End.INFRASTRUCTURE_FAILURE) else (-1.0,))


def test_a_dialogue_without_a_turn_or_a_verdict_has_no_reward() -> None:
    """There is nothing to learn, or nobody knows."""
    assert rewards_of(_dialogue(end=End.CONTEXT_OVERFLOW), None, REWARDS) is None
    assert rewards_of(_dialogue(_turn(Verdict.PASSED)), None, REWARDS) is None
