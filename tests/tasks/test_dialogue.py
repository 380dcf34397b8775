"""The dialogue machine: what it asks, when it ends, and that it refuses what it does not wait for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.benchmarks import values
from turnwise.errors import TurnwiseError
from turnwise.records.problem import Comparison, MatchRule, Problem, TestCase
from turnwise.records.report import Environment, Report, TestResult, Verdict
from turnwise.records.settings import TurnPlan
from turnwise.records.trajectory import Context, End, Reply
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan, RunPublicTests, messages_of
from turnwise.tasks.prompts import DEFAULT_SET, PromptSet
from turnwise.tasks.strategies import Strategy, multi_turn

ENVIRONMENT = Environment("planned", "none", "no Python", "tokens")
PROBLEM = Problem("b/p", "b", "test", "Add them.", (TestCase("1 2", "3"),), (TestCase("hidden", "secret"),))
STUB = 'def add(a, b):\n    """Add them."""\n\n'
COMPLETION = replace(
    PROBLEM,
    public_tests=(TestCase(values.dumps([1, 2]), values.dumps(3)),),
    rule=MatchRule(Comparison.EVALPLUS),
    entry_point="add",
    starter_code=STUB,
)
CODE = "```python\nprint(3)\n```"
BUNDLED = Path(__file__).resolve().parents[2] / "tasks" / "prompts" / DEFAULT_SET


def _report(verdict: Verdict) -> Report:
    results = () if verdict is Verdict.NO_CODE else (TestResult(0, verdict, output="4"),)
    return Report("b/p", verdict, results, None, ENVIRONMENT)


def _dialogue(
    strategy: Strategy,
    prompts: PromptSet | None = None,
    *,
    problem: Problem = PROBLEM,
    system: str = "",
    prefill: bool = False,
) -> Dialogue:
    plan = DialoguePlan("t", strategy, prompts or PromptSet.load(), seed=1, system=system, prefill=prefill)
    return Dialogue(problem, 0, plan)


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
    for strategy in (multi_turn(1), multi_turn(3)):
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
    assert dialogue.next_step() == RunPublicTests(None, PROBLEM)
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


@pytest.fixture
def thinking(tmp_path: Path) -> PromptSet:
    """The bundled prompts with a reasoning prompt and an instruction."""
    folder = shutil.copytree(BUNDLED, tmp_path / "mine")
    (folder / "reasoning" / "think.j2").write_text("Think first.")
    (folder / "instruction" / "comments.j2").write_text("Comment each line.")
    return PromptSet.load(folder)


def test_reasoning_makes_a_second_call(thinking: PromptSet) -> None:
    """Call 1 has statement and reasoning prompts, no format guide; only call 2 is asked for the program."""
    plans = (TurnPlan(reasoning=("think",)), TurnPlan(reasoning=("think", "think"), instruction="comments"))
    dialogue = _dialogue(Strategy("mine", plans), thinking)
    first = _ask(dialogue)
    assert [message.prompt_id for message in first.messages] == ["statement", "reasoning/think"]
    dialogue.reply(Reply("I thought. ```python\nnot this\n```"))
    second = _ask(dialogue)
    assert [message.prompt_id for message in second.messages[3:]] == ["write_program", "format_guide"]
    assert (second.turn, second.call) == (0, 1) and first.seed != second.seed
    dialogue.reply(Reply(CODE))
    assert dialogue.next_step() == RunPublicTests("print(3)\n", PROBLEM)
    dialogue.report(_report(Verdict.WRONG_ANSWER))
    third = [message.prompt_id for message in _ask(dialogue).messages[6:]]
    assert third == ["feedback/failed_tests", "reasoning/think", "reasoning/think"]
    dialogue.reply(Reply("hm"))
    closing = [message.prompt_id for message in _ask(dialogue).messages[-2:]]
    assert closing == ["instruction/comments", "format_guide"]


def test_without_feedback_a_dialogue_always_takes_all_its_turns() -> None:
    """A success is not told either; the last program is the submission (arXiv 2410.02089)."""
    dialogue = _dialogue(multi_turn(3, feedback="none"))
    for verdict in (Verdict.PASSED, Verdict.WRONG_ANSWER, Verdict.PASSED):
        _turn(dialogue, CODE, verdict)
    trajectory = dialogue.trajectory()
    assert (trajectory.end, len(trajectory.turns), trajectory.submission_turn) == (End.TURN_LIMIT, 3, 2)
    told = [turn.calls[0].messages[0] for turn in trajectory.turns[1:]]
    assert {message.prompt_id for message in told} == {"feedback/none"}
    assert told[0].content == told[1].content


@pytest.mark.parametrize(("kind", "words"), [("binary", "passes the example tests"), ("failed_tests", "passes the ex")])
def test_a_dialogue_that_goes_on_after_a_success_is_told_of_it(kind: str, words: str) -> None:
    """A user's own stop rule."""
    turns = (TurnPlan(stops=False), TurnPlan(feedback=kind))
    dialogue = _dialogue(Strategy("mine", turns))
    _turn(dialogue, CODE, Verdict.PASSED)
    told = _ask(dialogue).messages[-2].content
    assert words in told and "If it can still be wrong" in told
    _turn(dialogue, CODE, Verdict.PASSED)
    assert dialogue.trajectory().end is End.PUBLIC_PASSED


@pytest.mark.parametrize("keep", [True, False])
def test_reasoning_is_kept_or_forgotten_after_its_turn(thinking: PromptSet, keep: bool) -> None:
    """Within its turn it is always there; the statement stays in either case."""
    plans = (TurnPlan(reasoning=("think",)), TurnPlan(reasoning=("think",)))
    plan = DialoguePlan("t", Strategy("mine", plans), thinking, keep_reasoning=keep)
    dialogue = Dialogue(PROBLEM, 0, plan)
    dialogue.reply(Reply("my first thought"))
    assert "my first thought" in {message.content for message in _ask(dialogue).messages}
    _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    second = _ask(dialogue).messages
    assert ("my first thought" in {message.content for message in second}) is keep
    assert second[0].kind == "statement" and CODE in {message.content for message in second}
    assert [message.kind for message in second].count("reasoning") == 1 + keep


def test_a_turn_that_begins_with_reasoning_asks_for_the_program_once(thinking: PromptSet) -> None:
    """The feedback before a reasoning prompt does not ask for it, too."""
    dialogue = _dialogue(Strategy("mine", (TurnPlan(), TurnPlan(reasoning=("think",)))), thinking)
    _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    assert "Please correct it" not in _ask(dialogue).messages[-2].content


def test_two_programs_in_one_answer_need_their_own_format_guide() -> None:
    """weak_then_better says that the last block counts."""
    strategy = Strategy("mine", (TurnPlan(instruction="weak_then_better"), TurnPlan()))
    assert _ask(_dialogue(strategy)).messages[-1].content.endswith("The last block is the one that counts.")


def test_the_system_instruction_is_said_once_and_first(thinking: PromptSet) -> None:
    """In every call it leads the history; no turn and no second call says it again."""
    plans = (TurnPlan(reasoning=("think",)), TurnPlan())
    dialogue = _dialogue(Strategy("mine", plans), thinking, system="Be brief.")
    asked = [_ask(dialogue)]
    dialogue.reply(Reply("I thought."))
    asked.append(_ask(dialogue))
    _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    asked.append(_ask(dialogue))
    for ask in asked:
        assert (ask.messages[0].role, ask.messages[0].content) == ("system", "Be brief.")
        assert [message.kind for message in ask.messages].count("system") == 1
    _turn(dialogue, CODE, Verdict.PASSED)
    calls = [call for turn in dialogue.trajectory().turns for call in turn.calls]
    assert [[message.kind for message in call.messages].count("system") for call in calls] == [1, 0, 0]


def test_without_a_system_instruction_there_is_no_system_message() -> None:
    """Not an empty one either, which would replace the model's own."""
    assert "system" not in {message.role for message in _ask(_dialogue(multi_turn(1))).messages}


def test_a_prefill_begins_the_answer_to_a_completion_task() -> None:
    """The assistant's beginning comes last in the call, and the program is the stub with what the model adds."""
    dialogue = _dialogue(multi_turn(1), problem=COMPLETION, prefill=True)
    messages = _ask(dialogue).messages
    assert [message.kind for message in messages] == ["statement", "instruction", "prefill"]
    assert (messages[-1].role, messages[-1].content) == (
        "assistant",
        f"Here is the completed function.\n\n```python\n{STUB.rstrip()}\n",
    )
    _turn(dialogue, "    return a + b\n```\nDone.", Verdict.PASSED)
    (turn,) = dialogue.trajectory().turns
    assert turn.program == STUB.rstrip() + "\n    return a + b\n"
    assert turn.calls[0].reply.text == "    return a + b\n```\nDone."
    assert turn.calls[0].messages[-1].kind == "prefill"


def test_thinking_takes_no_prefill_with_it() -> None:
    """A model that thinks after the stub continues the stub all the same."""
    dialogue = _dialogue(multi_turn(1), problem=COMPLETION, prefill=True)
    stub = _ask(dialogue).messages[-1].content
    dialogue.reply(Reply("hm</think>    return 1\n```"))
    step = dialogue.next_step()
    assert isinstance(step, RunPublicTests) and step.program is not None
    assert step.program.endswith("    return 1\n") and step.program.splitlines()[0] in stub


def test_the_history_holds_prefill_and_reply_as_one_message() -> None:
    """Roles alternate, and every turn begins with the stub anew."""
    dialogue = _dialogue(multi_turn(3), problem=COMPLETION, prefill=True)
    _turn(dialogue, "    return a\n```", Verdict.WRONG_ANSWER)
    messages = _ask(dialogue).messages
    assert [message.kind for message in messages] == [
        "statement",
        "instruction",
        "reply",
        "feedback",
        "instruction",
        "prefill",
    ]
    assert [message.role for message in messages].count("assistant") == 2
    assert messages[2].content.endswith(f"```python\n{STUB.rstrip()}\n    return a\n```")
    _turn(dialogue, "    return b\n```", Verdict.WRONG_ANSWER)
    assert [message.kind for message in _ask(dialogue).messages].count("prefill") == 1


def test_a_prefill_belongs_to_the_call_that_is_asked_for_the_program(thinking: PromptSet) -> None:
    """The reasoning is the model's own from its first word."""
    dialogue = _dialogue(
        Strategy("mine", (TurnPlan(reasoning=("think",)),)), thinking, problem=COMPLETION, prefill=True
    )
    assert [message.kind for message in _ask(dialogue).messages] == ["statement", "reasoning"]
    dialogue.reply(Reply("Add."))
    assert _ask(dialogue).messages[-1].kind == "prefill"


@pytest.mark.parametrize(
    ("problem", "prefill"),
    [
        (PROBLEM, True),
        (replace(COMPLETION, rule=MatchRule(Comparison.VALUE)), True),
        (replace(COMPLETION, starter_code=""), True),
        (COMPLETION, False),
    ],
)
def test_there_is_no_prefill_but_for_completion_tasks_where_it_is_wanted(problem: Problem, prefill: bool) -> None:
    """Programs that read stdin, functions without a stub to continue, and runs that do not ask for it."""
    messages = _ask(_dialogue(multi_turn(1), problem=problem, prefill=prefill)).messages
    assert [message.kind for message in messages] == ["statement", "instruction"]
    assert {message.role for message in messages} == {"user"}


@pytest.mark.parametrize("turns", [0, 1])
def test_a_full_context_is_the_models_own_end(turns: int) -> None:
    """The turns before it stand, and the outcome is not missing."""
    dialogue = _dialogue(multi_turn(3))
    for _ in range(turns):
        _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    dialogue.stop(End.CONTEXT_OVERFLOW)
    assert dialogue.next_step() is None
    trajectory = dialogue.trajectory()
    assert (len(trajectory.turns), trajectory.end, trajectory.is_missing) == (turns, End.CONTEXT_OVERFLOW, False)


@pytest.mark.parametrize(("counts", "is_cut"), [((0, 0), False), ((9, 0), False), ((9, 9), True), ((9, 30), False)])
def test_a_prompt_that_is_counted_as_nothing_was_not_cut(counts: tuple[int, int], is_cut: bool) -> None:
    """0 tokens are what some servers say of any prompt: no count, and no cut."""
    dialogue = _dialogue(multi_turn(2))
    for count in counts:
        _ask(dialogue)
        dialogue.reply(Reply(CODE, prompt_tokens=count))
        dialogue.report(_report(Verdict.WRONG_ANSWER))
    assert dialogue.trajectory().turns[1].calls[0].prompt_cut is is_cut


@pytest.mark.parametrize(
    ("text", "keep", "prefill", "goes_on"),
    [
        (CODE, True, False, True),
        ("no code", False, False, True),
        (f"<think>Well.</think>{CODE}", True, False, False),
        ("<think>\nHm", True, False, False),
        (CODE, True, True, False),
    ],
)
@pytest.mark.parametrize("as_written", [False, True])
def test_a_call_goes_on_from_the_token_ids_of_the_call_before(
    text: str, keep: bool, prefill: bool, goes_on: bool, as_written: bool
) -> None:
    """Unless its messages say something else than the model did; in the record there is no word of it."""
    plan = DialoguePlan("t", multi_turn(3), PromptSet.load(), keep_reasoning=keep, prefill=prefill)
    dialogue = Dialogue(COMPLETION if prefill else PROBLEM, 0, plan)
    assert _ask(dialogue).after is None
    context = Context((1, 2), (3,))
    written = Reply(text, token_ids=context.reply, prompt_token_ids=context.prompt)  # of a run that was stopped
    dialogue.reply(written if as_written else Reply(text, context=context))
    assert isinstance(dialogue.next_step(), RunPublicTests)
    dialogue.report(_report(Verdict.WRONG_ANSWER))
    assert _ask(dialogue).after == (context if goes_on else None)
    dialogue.reply(Reply(CODE))  # of a sampler that does not tell
    dialogue.report(_report(Verdict.WRONG_ANSWER))
    assert _ask(dialogue).after is None
    dialogue.stop(End.NO_MORE_ANSWERS)
    assert {call.reply.context for turn in dialogue.trajectory().turns for call in turn.calls} == {None}


@pytest.mark.parametrize("keep", [True, False])
def test_forgotten_reasoning_is_not_gone_on_from(thinking: PromptSet, keep: bool) -> None:
    """The call for the program goes on from the thought; the next turn, which has lost it, does not."""
    strategy = Strategy("mine", (TurnPlan(reasoning=("think",)), TurnPlan(), TurnPlan()))
    dialogue = Dialogue(PROBLEM, 0, DialoguePlan("t", strategy, thinking, keep_reasoning=keep))
    thought, program = Context((1,), (2,)), Context((1, 2, 3), (4,))
    dialogue.reply(Reply("I think.", context=thought))
    assert _ask(dialogue).after == thought
    _turn_with(dialogue, program)
    assert _ask(dialogue).after == (program if keep else None)
    _turn_with(dialogue, program)
    assert _ask(dialogue).after == program  # nothing was left to forget


def _turn_with(dialogue: Dialogue, context: Context) -> None:
    dialogue.reply(Reply(CODE, context=context))
    dialogue.report(_report(Verdict.WRONG_ANSWER))


def test_a_prompt_that_was_made_here_is_never_cut() -> None:
    """Encoded anew it may have fewer token ids than the shorter one had with an odd split of a reply."""
    dialogue = _dialogue(multi_turn(3))
    for count, context in ((50, Context((1,), (2,))), (40, Context((1,), (2,)))):
        dialogue.reply(Reply(CODE, prompt_tokens=count, context=context))
        dialogue.report(_report(Verdict.WRONG_ANSWER))
    dialogue.stop(End.NO_MORE_ANSWERS)
    assert not any(turn.calls[0].prompt_cut for turn in dialogue.trajectory().turns)


def test_a_report_spoiled_by_the_machine_ends_the_dialogue_as_missing() -> None:
    """The model is not told of it: its turn is dropped, the turns before it stand."""
    dialogue = _dialogue(multi_turn(3))
    _turn(dialogue, CODE, Verdict.WRONG_ANSWER)
    _turn(dialogue, CODE, Verdict.INFRASTRUCTURE_FAILURE)
    assert dialogue.next_step() is None
    trajectory = dialogue.trajectory()
    assert (len(trajectory.turns), trajectory.end) == (1, End.INFRASTRUCTURE_FAILURE)
    assert trajectory.is_missing and trajectory.turns[0].public_report.verdict is Verdict.WRONG_ANSWER


def test_a_machine_that_fails_in_the_last_turn_is_no_turn_limit() -> None:
    """Missing, where a report that could be made would have been an outcome."""
    dialogue = _dialogue(multi_turn(1))
    _turn(dialogue, CODE, Verdict.INFRASTRUCTURE_FAILURE)
    trajectory = dialogue.trajectory()
    assert (trajectory.turns, trajectory.end, trajectory.submission_turn) == ((), End.INFRASTRUCTURE_FAILURE, None)


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
    dialogue = _dialogue(multi_turn(1))
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


@pytest.mark.parametrize("keep", [True, False])
def test_a_trajectory_holds_what_each_call_was_sent(thinking: PromptSet, keep: bool) -> None:
    """Whoever reads it back has the very messages: prefills are sent and not kept, reasoning is kept or not."""
    plans = (TurnPlan(reasoning=("think",)), TurnPlan(reasoning=("think",), instruction="comments"), TurnPlan())
    plan = DialoguePlan(
        "t", Strategy("mine", plans), thinking, 1, system="Be brief.", prefill=True, keep_reasoning=keep
    )
    dialogue = Dialogue(COMPLETION, 0, plan)
    asked = []
    while (step := dialogue.next_step()) is not None:
        if isinstance(step, Ask):
            asked.append(step)
            dialogue.reply(Reply(f"<think>{len(asked)}</think>\n{CODE}"))
        else:
            dialogue.report(_report(Verdict.WRONG_ANSWER))
    read = dialogue.trajectory()
    assert len(asked) == 5 and any(message.kind == "prefill" for message in asked[-1].messages)
    for one in asked:
        assert messages_of(read, one.turn, one.call, keep_reasoning=keep) == one.messages
