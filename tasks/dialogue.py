"""The dialogue as a state machine without input or output: it asks, is answered, and says what to run.

>>> dialogue = Dialogue(problem, 0, plan)
>>> while (step := dialogue.next_step()) is not None:
...     if isinstance(step, Ask):
...         dialogue.reply(model(step.messages))
...     else:
...         dialogue.report(judge.judge(step.problem, step.program, hidden=False))
>>> dialogue.trajectory().end
<End.PUBLIC_PASSED: 'public_passed'>

It knows neither models nor processes, so every driver (lockstep, asynchronous, training, replay) is a
loop around it, and the same replies and reports give the same trajectory in all of them. Hidden tests
never come near it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace

from turnwise.records.problem import Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.settings import DEFAULT_EXTRACTION, TurnPlan
from turnwise.records.trajectory import Call, Context, End, Message, Reply, Trajectory, Turn
from turnwise.tasks.decoys import Decoy, DecoyPool, failing_report
from turnwise.tasks.extraction import program_of
from turnwise.tasks.feedback import feedback_kind, feedback_text, form_of
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import Strategy


@dataclass(frozen=True, slots=True)
class DialoguePlan:
    """What the dialogues of a task share: name, strategy, prompts, the run's seed, how programs are found.

    ``system`` is said before everything. With ``prefill`` the model continues the stub of a completion task
    (HumanEval+) instead of writing the whole function: each answer begins with it. Without ``keep_reasoning``
    the reasoning of a turn is forgotten when the turn has ended. ``decoys`` are what the feedback random is
    made of. With ``strict_context`` a prompt that the server cut without a word ends the dialogue.
    """

    task: str
    strategy: Strategy
    prompts: PromptSet
    seed: int = 0
    extraction: str = DEFAULT_EXTRACTION
    system: str = ""
    prefill: bool = False
    keep_reasoning: bool = True
    decoys: DecoyPool | None = None
    strict_context: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """The next call to the model: all messages so far, and the seed of this call.

    ``after`` is what the model had in the call before, if it told and these messages only add to those of then.
    """

    messages: tuple[Message, ...]
    turn: int
    call: int
    seed: int
    after: Context | None = None


@dataclass(frozen=True, slots=True)
class RunPublicTests:
    """A program has to be run on a problem's public tests; None if the reply held no code.

    It is the turn's own program, but for the feedback random, which is made of another problem's. ``traced``
    asks for a trace of a failing test.
    """

    program: str | None
    problem: Problem
    traced: bool = False


def said_by(call: Call, *, is_last: bool) -> list[Message]:
    """Return what a call adds to the history of its dialogue; the ``is_last`` one of a turn is its reply."""
    asked = [message for message in call.messages if message.kind != "prefill"]
    return [*asked, Message("assistant", "reply" if is_last else "thought", "", call.answer)]


def without_reasoning(history: Iterable[Message]) -> list[Message]:
    """Return what later turns are shown of ``history`` where reasoning is not kept."""
    return [message for message in history if message.kind not in ("reasoning", "thought")]


def messages_of(trajectory: Trajectory, turn: int, call: int, *, keep_reasoning: bool) -> tuple[Message, ...]:
    """Return all messages that the model was sent in call ``call`` of turn ``turn`` (both from 0) of a dialogue."""
    history: list[Message] = []
    for number, one in enumerate(trajectory.turns[: turn + 1]):
        if not keep_reasoning:
            history = without_reasoning(history)
        for index, earlier in enumerate(one.calls if number < turn else one.calls[:call], 1):
            history += said_by(earlier, is_last=index == len(one.calls))
    return (*history, *trajectory.turns[turn].calls[call].messages)


class Dialogue:
    """One dialogue about one problem; ``next_step`` says what it waits for and may be asked repeatedly.

    ``judge_cpu_seconds`` is what the public tests of its turns took so far.
    """

    def __init__(self, problem: Problem, sample: int, plan: DialoguePlan) -> None:
        self.problem = problem
        self.sample = sample
        self._plan = plan
        self._history: list[Message] = []
        self.judge_cpu_seconds = 0.0
        self._turns: list[Turn] = []
        self._calls: list[Call] = []
        self._to_ask: list[tuple[Message, ...]] = []
        self._program: str | None = None
        self._end: End | None = None
        self._decoy: Decoy | None = None
        self._counted: list[tuple[tuple[Message, ...], int]] = []
        self._context: Context | None = None
        self._begin_turn()

    @property
    def task(self) -> str:
        """The name of the task this dialogue belongs to."""
        return self._plan.task

    def next_step(self) -> Ask | RunPublicTests | None:
        """Return what the dialogue waits for; None when it has ended."""
        if self._end is not None:
            return None
        if self._decoy is not None:
            return RunPublicTests(self._decoy.program, self._decoy.problem)
        if not self._to_ask:
            return RunPublicTests(self._program, self.problem, self._next_feedback() == "ldb")
        turn, call = len(self._turns), len(self._calls)
        return Ask((*self._history, *self._to_ask[0]), turn, call, self._seed(turn, call), self._context)

    def reply(self, reply: Reply) -> None:
        """Take the model's reply to the current call; raises RuntimeError if none is waited for."""
        step = self.next_step()
        if not isinstance(step, Ask):
            raise RuntimeError("this dialogue does not wait for a reply")
        # A prompt made here is whole, though with other ids for an earlier reply it may be the shorter one.
        context = reply.known_context
        is_cut = context is None and self._is_cut(step.messages, reply.prompt_tokens)
        if is_cut and self._plan.strict_context:
            self.stop(End.CONTEXT_OVERFLOW)
            return
        asked = self._to_ask.pop(0)
        call = Call(asked, replace(reply, context=None), is_cut)
        self._calls.append(call)
        self._context = context if call.answer == reply.text else None  # else the history says something else
        self._history += said_by(call, is_last=not self._to_ask)
        if not self._to_ask:
            answer = self._history[-1].content
            self._program = program_of(answer, which=self._plan.extraction, entry_point=self.problem.entry_point)

    def _is_cut(self, messages: tuple[Message, ...], tokens: int | None) -> bool:
        """Return whether the server counted no more tokens than of a prompt that this one only adds to."""
        if not tokens:  # 0 is what some servers say of any prompt
            return False
        shorter = [count for begun, count in self._counted if messages[: len(begun)] == begun]
        self._counted.append((messages, tokens))
        return any(tokens <= count for count in shorter)

    def report(self, report: Report) -> None:
        """Take the report on the turn's program; raises RuntimeError if none is waited for.

        A report that the machine spoiled is no outcome of the model: it ends the dialogue as missing.
        """
        if not isinstance(self.next_step(), RunPublicTests):
            raise RuntimeError("this dialogue does not wait for a report")
        if report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
            self.stop(End.INFRASTRUCTURE_FAILURE)
            return
        if self._decoy is not None:
            told = failing_report(self._decoy, report)
            decoy, self._decoy = self._decoy, None
            self._begin_turn(decoy.problem, told)
            return
        self.judge_cpu_seconds += report.cpu_seconds
        self._turns.append(Turn(tuple(self._calls), self._program, report.without_measurements()))
        self._calls.clear()
        plans = self._plan.strategy.turns
        if report.public_passed and plans[len(self._turns) - 1].stops:
            self._end = End.PUBLIC_PASSED
        elif len(self._turns) == len(plans):
            self._end = End.TURN_LIMIT
        elif self._next_feedback(0) == "random" and self._turns[-1].program is not None:
            self._decoy = self._choose_decoy()
        else:
            self._begin_turn(self.problem, report)

    def stop(self, end: End) -> None:
        """End the dialogue from outside (a request failed, a recording ended); an unfinished turn is dropped."""
        if self._end is None:
            self._end = end

    def trajectory(self) -> Trajectory:
        """Return the record of the dialogue; raises RuntimeError before it has ended."""
        if self._end is None:
            raise RuntimeError("this dialogue has not ended")
        plan = self._plan
        return Trajectory(plan.task, self.problem.id, self.sample, self._seed(0, 0), tuple(self._turns), self._end)

    def _seed(self, turn: int, call: int) -> int:
        return dialogue_seed(self._plan.seed, self.problem.id, self.sample, turn, call)

    def _next_feedback(self, ahead: int = 1) -> str:
        """Return the kind of feedback that will follow the turn at hand (``ahead`` 0: that opens it), "" for none."""
        plans, number = self._plan.strategy.turns, len(self._turns) + ahead
        return plans[number].feedback if number < len(plans) else ""

    def _choose_decoy(self) -> Decoy:
        if self._plan.decoys is None:
            raise RuntimeError("the feedback random needs a plan with decoys")
        seed = dialogue_seed(self._plan.seed, f"decoys/{self.problem.id}", self.sample, len(self._turns))
        return self._plan.decoys.choose(self.problem.id, seed=seed)

    def _begin_turn(self, told_of: Problem | None = None, report: Report | None = None) -> None:
        """Plan the calls of the next turn; after the first it opens with ``report`` on a program of ``told_of``."""
        turn = self._plan.strategy.turns[len(self._turns)]
        form = form_of(self.problem)
        if not self._plan.keep_reasoning:
            kept = without_reasoning(self._history)
            if len(kept) < len(self._history):
                self._history, self._context = kept, None
        if told_of is None or report is None:
            opening = Message("user", "statement", "statement", render_statement(self._plan.prompts, self.problem))
        else:
            opening = self._feedback(turn, told_of, report)
        before = [] if self._turns or not self._plan.system else [Message("system", "system", "", self._plan.system)]
        guide = self._message("instruction", "format_guide", form, instruction=turn.instruction)
        after = [guide, *self._prefill(form)]
        if turn.reasoning:
            again = bool(self._turns)
            thoughts = [self._message("reasoning", f"reasoning/{name}", form, again=again) for name in turn.reasoning]
            closing = f"instruction/{turn.instruction}" if turn.instruction else "write_program"
            self._to_ask = [(*before, opening, *thoughts), (self._message("instruction", closing, form), *after)]
            return
        if turn.instruction:
            after.insert(0, self._message("instruction", f"instruction/{turn.instruction}", form))
        self._to_ask = [(*before, opening, *after)]

    def _prefill(self, form: str) -> list[Message]:
        if not self._plan.prefill or form != "completion":
            return []
        text = self._plan.prompts.render("prefill", starter_code=self.problem.starter_code.rstrip())
        return [Message("assistant", "prefill", "prefill", text + "\n")]

    def _feedback(self, turn: TurnPlan, told_of: Problem, report: Report) -> Message:
        if self._turns[-1].program is None:
            return Message("user", "feedback", "no_code", self._plan.prompts.render("no_code"))
        form, reasons = form_of(self.problem), bool(turn.reasoning)
        kind = feedback_kind(turn.feedback, report)
        program = self._turns[-1].program or ""
        text = feedback_text(kind, told_of, report, self._plan.prompts, form=form, reasons=reasons, program=program)
        return Message("user", "feedback", f"feedback/{kind}", text)

    def _message(self, kind: str, prompt_id: str, form: str, **context: str | bool) -> Message:
        return Message("user", kind, prompt_id, self._plan.prompts.render(prompt_id, form=form, **context))


def render_statement(prompts: PromptSet, problem: Problem) -> str:
    """Return the first message's statement: never cut, nothing hidden in it."""
    return prompts.render(
        "statement",
        form=form_of(problem),
        statement=problem.statement.strip(),
        starter_code=problem.starter_code.strip("\n"),
        entry_point=problem.entry_point,
        method="class Solution" in problem.starter_code,
        input_file=problem.input_file,
        output_file=problem.output_file,
    )


def dialogue_seed(run_seed: int, problem: str, sample: int, turn: int, call: int = 0) -> int:
    """Return the seed of one call: blake2b(run seed, problem, sample, turn, call) mod 2**31."""
    text = json.dumps([run_seed, problem, sample, turn, call])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") % 2**31
