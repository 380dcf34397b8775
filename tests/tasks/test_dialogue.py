"""The dialogue machine: what it asks, when it ends, and that it refuses what it does not wait for."""

import shutil
from pathlib import Path

import pytest

from turnwise.benchmarks.records import Environment, Problem, Report, TestCase, TestResult, Verdict
from turnwise.errors import TurnwiseError
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan, RunPublicTests
from turnwise.tasks.prompts import DEFAULT_SET, PromptSet
from turnwise.tasks.strategies import Strategy, TurnPlan, multi_turn, single_turn
from turnwise.tasks.trajectory import End, Reply

ENVIRONMENT = Environment("planned", "none", "no Python", "tokens")
PROBLEM = Problem("b/p", "b", "test", "Add them.", (TestCase("1 2", "3"),), (TestCase("hidden", "secret"),))
CODE = "```python\nprint(3)\n```"
BUNDLED = Path(__file__).resolve().parents[2] / "tasks" / "prompts" / DEFAULT_SET


def _report(verdict: Verdict) -> Report:
    results = () if verdict is Verdict.NO_CODE else (TestResult(0, verdict, output="4"),)
    return Report("b/p", verdict, results, None, ENVIRONMENT)


def _dialogue(strategy: Strategy, prompts: PromptSet | None = None) -> Dialogue:
    return Dialogue(PROBLEM, 0, DialoguePlan("t", strategy, prompts or PromptSet.load(), seed=1))


def _ask(dialogue: Dialogue) -> Ask:
    step = dialogue.next_step()
    assert isinstance(step, Ask)
    return step


def _turn(dialogue: Dialogue, text: str, verdict: Verdict) -> None:
    _ask(dialogue)
    dialogue.reply(Reply(text))
    step = dialogue.next_step()
    assert isinstance(step, RunPublicTests)
    dialogue.report(_report(verdict))


def test_a_dialogue_ends_when_the_public_tests_pass() -> None:
    """Ask, run, feedback, ask, run, end; the messages grow by what was said."""
    dialogue = _dialogue(multi_turn(3))
    _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    second = _ask(dialogue)
    assert [message.kind for message in second.messages] == [
        "statement",
        "instruction",
        "reply",
        "feedback",
        "instruction",
    ]
    assert (second.turn, second.call) == (1, 0)
    _turn(dialogue, CODE, Verdict.PASSED)
    assert dialogue.next_step() is None
    trajectory = dialogue.trajectory()
    assert (trajectory.end, len(trajectory.turns), trajectory.submission_turn) == (End.PUBLIC_PASSED, 2, 1)


def test_the_turn_limit_is_the_strategys() -> None:
    """One turn is one turn; three are three."""
    for strategy in (single_turn(), multi_turn(3)):
        dialogue = _dialogue(strategy)
        for _ in strategy.turns:
            _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
        assert dialogue.next_step() is None
        assert dialogue.trajectory().end is End.TURN_LIMIT


def test_a_reply_without_code_is_told_so() -> None:
    """The program is None, and the next turn opens with the prompt for that."""
    dialogue = _dialogue(multi_turn(2))
    _ask(dialogue)
    dialogue.reply(Reply("no idea"))
    assert dialogue.next_step() == RunPublicTests(None)
    dialogue.report(_report(Verdict.NO_CODE))
    assert _ask(dialogue).messages[-2].prompt_id == "no_code"


def test_thinking_stays_out_of_the_history_but_in_the_record() -> None:
    """What stands before </think> is stored, never shown again and never extracted."""
    dialogue = _dialogue(multi_turn(2))
    _turn(dialogue, f"<think>```python\nwrong\n```</think>{CODE}", Verdict.WRONG_ANSWER)
    assert _ask(dialogue).messages[2].content == CODE
    dialogue.stop(End.NO_MORE_ANSWERS)
    turn = dialogue.trajectory().turns[0]
    assert "<think>" in turn.calls[0].reply.text and turn.program == "print(3)\n"


def test_reasoning_makes_a_second_call(tmp_path: Path) -> None:
    """Call 1 has statement and reasoning prompts, no format guide; only call 2 is asked for the program."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "reasoning").mkdir()
    (folder / "instruction").mkdir()
    (folder / "reasoning" / "think.j2").write_text("Think first.")
    (folder / "instruction" / "comments.j2").write_text("Comment each line.")
    plans = (TurnPlan(reasoning=("think",)), TurnPlan(reasoning=("think", "think"), instruction="comments"))
    dialogue = _dialogue(Strategy("mine", plans), PromptSet.load(folder))
    first = _ask(dialogue)
    assert [message.prompt_id for message in first.messages] == ["statement", "reasoning/think"]
    dialogue.reply(Reply("I thought. ```python\nnot this\n```"))
    second = _ask(dialogue)
    assert [message.prompt_id for message in second.messages[3:]] == ["write_program", "format_guide"]
    assert (second.turn, second.call) == (0, 1) and first.seed != second.seed
    dialogue.reply(Reply(CODE))
    assert dialogue.next_step() == RunPublicTests("print(3)\n")
    dialogue.report(_report(Verdict.WRONG_ANSWER))
    third = [message.prompt_id for message in _ask(dialogue).messages[6:]]
    assert third == ["feedback/failed_tests", "reasoning/think", "reasoning/think"]
    dialogue.reply(Reply("hm"))
    closing = [message.prompt_id for message in _ask(dialogue).messages[-2:]]
    assert closing == ["instruction/comments", "format_guide"]


def test_stopping_drops_the_unfinished_turn() -> None:
    """What was asked but not judged is no turn."""
    dialogue = _dialogue(multi_turn(3))
    _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    dialogue.reply(Reply(CODE))
    dialogue.stop(End.REQUEST_FAILED)
    dialogue.stop(End.TURN_LIMIT)
    trajectory = dialogue.trajectory()
    assert (len(trajectory.turns), trajectory.end, trajectory.is_missing) == (1, End.REQUEST_FAILED, True)


def test_what_is_not_waited_for_is_refused() -> None:
    """A driver's mistake is an error, never a wrong record."""
    dialogue = _dialogue(single_turn())
    with pytest.raises(RuntimeError, match="report"):
        dialogue.report(_report(Verdict.PASSED))
    with pytest.raises(RuntimeError, match="not ended"):
        dialogue.trajectory()
    dialogue.reply(Reply(CODE))
    with pytest.raises(RuntimeError, match="reply"):
        dialogue.reply(Reply(CODE))


@pytest.mark.parametrize(("turns", "feedback"), [(0, "binary"), (3, "kind")])
def test_impossible_strategies_are_refused(turns: int, feedback: str) -> None:
    """The value and the known ones stand in the error."""
    with pytest.raises(TurnwiseError, match=r"max_turns is 0|'kind': choose one of binary, failed_tests"):
        multi_turn(turns, feedback=feedback)
