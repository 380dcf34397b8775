"""Dialogues without reasoning prompts: what is learnt after is what plain evaluation would have sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from turnwise.benchmarks import values
from turnwise.records.problem import Comparison, MatchRule, Problem, TestCase
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import RunSettings, TurnPlan
from turnwise.records.trajectory import End, Reply, Trajectory
from turnwise.runners.models.chat import to_chat
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.dialogue import Ask, Dialogue
from turnwise.tasks.plan import dialogue_plan
from turnwise.tasks.prompts import PromptSet
from turnwise.training.data.conversations import Conversation, Replay
from turnwise.training.data.selection import Reason

Carry = Callable[..., Trajectory]
TASK = TASKS["sample_codecontests_multiturn"]
RECORD = TaskRecord(TASK.name, "b", "test", 3, "cot_retry", "0", 1, ())
PROBLEM = Problem("b/p 1", "b", "test", "Add them.", (TestCase("1 2", "3"),), (TestCase("hidden", "secret"),))
STUB = 'def add(a, b):\n    """Add them."""\n\n'
COMPLETION = replace(
    PROBLEM,
    public_tests=(TestCase(values.dumps([1, 2]), values.dumps(3)),),
    rule=MatchRule(Comparison.EVALPLUS),
    entry_point="add",
    starter_code=STUB,
)
OWN = (
    TurnPlan(("explain_io",)),
    TurnPlan(feedback="binary"),
    TurnPlan(("difficulty",), "step_by_step", "failed_tests"),
)
STRATEGIES: dict[str, dict[str, Any]] = {
    "cot_retry": {"strategy": "cot_retry"},
    "cot_every_turn": {
        "strategy": "cot_every_turn",
        "reasoning": ("self_reflection", "explain_io"),
        "instruction": "double_check",
    },
    "cot": {"strategy": "cot", "reasoning": ("problem_tag",)},
    "forgetful": {"strategy": "cot_retry", "keep_reasoning": False},
    "multi_turn": {"strategy": "multi_turn"},
    "own": {"strategy": "mine", "turns": OWN},
    "binary": {"strategy": "cot_retry", "feedback": "binary"},
    "all tests": {"strategy": "cot_retry", "feedback": "failed_and_passed"},
    "none": {"strategy": "cot_retry", "feedback": "none"},
    "system": {"strategy": "cot_retry", "system_instruction": "Be brief."},
    "letter": {"strategy": "cot_retry", "extraction": "last"},
}


def replayed(
    carry: Carry, settings: RunSettings, words: Sequence[str], problem: Problem = PROBLEM, **reply: Any
) -> tuple[Trajectory, Conversation | Reason]:
    prompts = PromptSet.load()
    trajectory = carry(problem, 0, dialogue_plan(settings, TASK, prompts), words, reply=reply)
    return trajectory, Replay(settings, TASK, RECORD, prompts).replay(trajectory, problem)


def plain_asks(settings: RunSettings, trajectory: Trajectory, problem: Problem) -> list[Ask]:
    """Return what multi_turn evaluation asks when each turn's calls are answered by one reply."""
    plain = replace(settings, strategy="multi_turn", reasoning=(), instruction="", turns=())
    plan = dialogue_plan(plain, TASK, PromptSet.load())
    if settings.turns:
        bare = tuple(replace(turn, reasoning=(), instruction="") for turn in settings.turns)
        plan = replace(plan, strategy=replace(plan.strategy, turns=bare))
    dialogue = Dialogue(problem, 0, plan)
    asks = []
    for turn in trajectory.turns:
        ask = dialogue.next_step()
        assert isinstance(ask, Ask)
        asks.append(ask)
        dialogue.reply(Reply("\n\n".join(call.reply.text for call in turn.calls)))
        dialogue.report(turn.public_report)
    assert dialogue.next_step() is None
    return asks


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("words", [("right",), ("wrong", "right"), ("wrong", "none", "right")], ids=len)
def test_prompts_are_byte_for_byte_those_of_plain_evaluation(carry: Carry, name: str, words: Sequence[str]) -> None:
    """Each turn's messages, and those of the last turn as written, are what multi_turn sends after these replies."""
    settings = RunSettings(**STRATEGIES[name])
    trajectory, conversation = replayed(carry, settings, words)
    assert isinstance(conversation, Conversation), (conversation, trajectory)
    asks = plain_asks(settings, trajectory, PROBLEM)
    assert [one.messages for one in conversation.exchanges] == [ask.messages for ask in asks]
    assert conversation.messages[:-1] == to_chat(asks[-1].messages)
    texts = [call.reply.text for call in trajectory.turns[-1].calls]
    assert conversation.messages[-1] == {"role": "assistant", "content": "\n\n".join(texts)}
    told = {message.kind for one in conversation.exchanges for message in one.messages}
    assert "reasoning" not in told
    assert not any("instruction/" in message.prompt_id for one in conversation.exchanges for message in one.messages)


def test_a_prefill_stays_the_beginning_of_the_answer(carry: Carry) -> None:
    """Where evaluation begins the answer, so does training, and the message holds it whole."""
    settings = RunSettings(strategy="cot_retry", prefill=True)
    prompts = PromptSet.load()
    plan = dialogue_plan(settings, TASK, prompts)
    dialogue = Dialogue(COMPLETION, 0, plan)
    recorded = carry(PROBLEM, 0, dialogue_plan(RunSettings(strategy="cot_retry"), TASK, prompts), ("right",), reply={})
    dialogue.reply(Reply("    return a + b\n```"))
    dialogue.report(recorded.turns[0].public_report)
    trajectory = dialogue.trajectory()
    conversation = Replay(settings, TASK, RECORD, prompts).replay(trajectory, COMPLETION)
    assert isinstance(conversation, Conversation)
    assert conversation.exchanges[0].messages[-1].kind == "prefill"
    assert conversation.messages[-1]["content"].endswith("    return a + b\n```")
    assert conversation.messages[-1]["content"].startswith(conversation.exchanges[0].messages[-1].content)


def test_thinking_is_learnt_as_sampled_and_not_shown_later(carry: Carry) -> None:
    """The history of a turn has no thinking, as in evaluation; what the turn says has it."""
    settings = RunSettings(strategy="multi_turn")
    trajectory, _ = replayed(carry, settings, ("wrong", "right"))
    turns = tuple(
        replace(
            turn,
            calls=tuple(
                replace(call, reply=replace(call.reply, text=f"<think>\nhm\n</think>\n\n{call.reply.text}"))
                for call in turn.calls
            ),
        )
        for turn in trajectory.turns
    )
    thinking = replace(trajectory, turns=turns)
    conversation = Replay(settings, TASK, RECORD, PromptSet.load()).replay(thinking, PROBLEM)
    assert isinstance(conversation, Conversation)
    assert all(one.text.startswith("<think>\nhm\n</think>") for one in conversation.exchanges)
    assert "hm" not in "".join(one["content"] for one in conversation.messages[:-1])
    assert conversation.messages[-1]["content"].startswith("<think>")


def test_a_dialogue_that_is_another_without_its_prompts_is_dropped(carry: Carry) -> None:
    """A joined reply with another program, another end, other prompts, tests that are not there: each its reason."""
    settings = RunSettings(strategy="cot_retry")
    trajectory, conversation = replayed(carry, settings, ("wrong", "none", "right"))
    assert isinstance(conversation, Conversation)
    replay = Replay(settings, TASK, RECORD, PromptSet.load())

    def with_text(text: str, *, turn: int, call: int) -> Trajectory:
        calls = list(trajectory.turns[turn].calls)
        calls[call] = replace(calls[call], reply=replace(calls[call].reply, text=text))
        turns = list(trajectory.turns)
        turns[turn] = replace(turns[turn], calls=tuple(calls))
        return replace(trajectory, turns=tuple(turns))

    other = with_text("```python\nprint(1)\n```", turn=2, call=1)
    assert replay.replay(other, PROBLEM) is Reason.OTHER_PROGRAM
    half = with_text("half \ud800 a character", turn=2, call=0)
    assert replay.replay(half, PROBLEM) is Reason.NO_UNICODE
    assert replay.replay(replace(trajectory, end=End.PUBLIC_PASSED), PROBLEM) == replay.replay(trajectory, PROBLEM)
    assert replay.replay(replace(trajectory, end=End.TURN_LIMIT), PROBLEM) is Reason.OTHER_END
    shorter = replace(trajectory, turns=trajectory.turns[:1], end=End.PUBLIC_PASSED)
    assert replay.replay(shorter, PROBLEM) is Reason.OTHER_END
    longer = replace(trajectory, turns=(*trajectory.turns, trajectory.turns[-1]))
    assert replay.replay(longer, PROBLEM) is Reason.OTHER_END
    assert replay.replay(trajectory, replace(PROBLEM, statement="Multiply them.")) is Reason.OTHER_PROMPTS
    expecting = replace(PROBLEM, public_tests=(TestCase("1 2", "30"),))
    assert replay.replay(trajectory, expecting) is Reason.OTHER_PROMPTS
    assert replay.replay(trajectory, replace(PROBLEM, public_tests=())) is Reason.OTHER_PROMPTS
    empty = replace(trajectory, turns=(replace(trajectory.turns[0], calls=()), *trajectory.turns[1:]))
    assert replay.replay(empty, PROBLEM) is Reason.OTHER_PROMPTS


def test_a_program_in_a_thought_that_the_letter_would_take_is_found_out(carry: Carry) -> None:
    """Where the first block counts, a thought with code makes the joined reply another answer."""
    settings = RunSettings(strategy="cot_every_turn", reasoning=("explain_io",), extraction="first")
    trajectory, conversation = replayed(carry, settings, ("right",))
    assert isinstance(conversation, Conversation)
    first, last = trajectory.turns[0].calls
    thought = replace(first, reply=replace(first.reply, text="```python\nprint(1)\n```"))
    other = replace(trajectory, turns=(replace(trajectory.turns[0], calls=(thought, last)),))
    replay = Replay(settings, TASK, RECORD, PromptSet.load())
    assert replay.replay(other, PROBLEM) is Reason.OTHER_PROGRAM
