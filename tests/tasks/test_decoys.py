"""The feedback random: another problem's failing program, the same one each time, and nothing of the dialogue's own."""

from collections import Counter

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.problem import Problem, TestCase
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.trajectory import End, Reply
from turnwise.tasks.decoys import Decoy, DecoyPool, failing_report
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan, RunPublicTests
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import multi_turn

PROMPTS = PromptSet.load()
ENVIRONMENT = Environment("planned", "none", "no Python", "tokens")
PROBLEMS = {
    name: Problem(f"b/{name}", "b", "test", f"Do {name}.", (TestCase(f"in {name}", f"out {name}"),), ())
    for name in "xyz"
}
POOL = DecoyPool([Decoy(PROBLEMS[name], f"{name}{number}") for name in "xyz" for number in range(3)], source="b/test")
CODE = "```python\nprint(3)\n```"


def _report(problem: Problem, verdict: Verdict, output: str = "") -> Report:
    return Report(problem.id, verdict, (TestResult(0, verdict, output=output),), None, ENVIRONMENT)


def _after_a_failure(sample: int = 0, reply: str = CODE) -> Dialogue:
    """Return a dialogue about x whose first program failed."""
    plan = DialoguePlan("t", multi_turn(3, feedback="random"), PROMPTS, seed=1, decoys=POOL)
    dialogue = Dialogue(PROBLEMS["x"], sample, plan)
    dialogue.reply(Reply(reply))
    verdict = Verdict.NO_CODE if reply != CODE else Verdict.WRONG_ANSWER
    dialogue.report(_report(PROBLEMS["x"], verdict, "my own output"))
    return dialogue


def _last_message(dialogue: Dialogue) -> str:
    step = dialogue.next_step()
    assert isinstance(step, Ask)
    return step.messages[-2].content


def test_the_feedback_is_another_problems() -> None:
    """Its program runs on its own public test; nothing of the dialogue's own run is told."""
    dialogue = _after_a_failure()
    step = dialogue.next_step()
    assert isinstance(step, RunPublicTests) and step.problem.id in ("b/y", "b/z")
    name = step.problem.name
    assert step.program is not None and step.program.startswith(name)
    dialogue.report(_report(step.problem, Verdict.WRONG_ANSWER, "its output"))
    told = _last_message(dialogue)
    assert f"in {name}" in told and f"out {name}" in told and "its output" in told
    assert "in x" not in told and "my own output" not in told


def test_a_decoy_that_passes_is_told_as_not_implemented() -> None:
    """arXiv 2410.02089: if none fails, a NotImplementedError traceback."""
    dialogue = _after_a_failure()
    step = dialogue.next_step()
    assert isinstance(step, RunPublicTests)
    dialogue.report(_report(step.problem, Verdict.PASSED))
    told = _last_message(dialogue)
    assert told.startswith("Your code fails 1 of 1 example test.") and "NotImplementedError" in told
    failing = _report(PROBLEMS["y"], Verdict.WRONG_ANSWER)
    assert failing_report(Decoy(PROBLEMS["y"], "p"), failing) is failing


def test_only_a_real_success_ends_the_dialogue() -> None:
    """The decoy's report never does, and is no turn of the record; the own program's does."""
    dialogue = _after_a_failure()
    step = dialogue.next_step()
    assert isinstance(step, RunPublicTests)
    dialogue.report(_report(step.problem, Verdict.PASSED))
    dialogue.reply(Reply(CODE))
    assert dialogue.next_step() == RunPublicTests("print(3)\n", PROBLEMS["x"])
    dialogue.report(_report(PROBLEMS["x"], Verdict.PASSED))
    trajectory = dialogue.trajectory()
    assert (trajectory.end, len(trajectory.turns)) == (End.PUBLIC_PASSED, 2)
    assert {turn.public_report.problem for turn in trajectory.turns} == {"b/x"}


def test_an_answer_without_code_is_told_so_and_no_decoy_is_run() -> None:
    """The model needs to know that, whatever the feedback is."""
    assert _last_message(_after_a_failure(reply="words")).startswith("No Python code block")


def test_a_decoy_the_machine_spoiled_makes_the_dialogue_missing() -> None:
    """Without its report there is nothing to tell."""
    dialogue = _after_a_failure()
    step = dialogue.next_step()
    assert isinstance(step, RunPublicTests)
    dialogue.report(_report(step.problem, Verdict.INFRASTRUCTURE_FAILURE))
    assert dialogue.trajectory().end is End.INFRASTRUCTURE_FAILURE


def test_the_choice_is_reproducible_and_spread() -> None:
    """Equal dialogues get the same decoy, others get any of the six of other problems."""
    steps = [_after_a_failure(sample).next_step() for sample in range(600)]
    assert steps[:20] == [_after_a_failure(sample).next_step() for sample in range(20)]
    counts = Counter(step.program for step in steps if isinstance(step, RunPublicTests))
    assert set(counts) == {f"{name}{number}" for name in "yz" for number in range(3)}
    assert all(60 < count < 140 for count in counts.values())  # 100 expected, 9 the standard deviation


def test_a_pool_of_one_problem_is_refused() -> None:
    """Its own programs are no other problem's."""
    with pytest.raises(TurnwiseError, match=r"of two problems at least, and b/test has those of 1: give a file"):
        DecoyPool([Decoy(PROBLEMS["x"], "x")], source="b/test")
    record = POOL.to_record()
    assert (record.source, record.problems, record.programs) == ("b/test", 3, 9)
    assert POOL.digest != DecoyPool([Decoy(PROBLEMS[name], "p") for name in "xyz"], source="b/test").digest
