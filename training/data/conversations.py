"""Recorded dialogues as plain ones: reasoning and instruction prompts are taken out, what the model said stays.

    conversation = Replay(settings, task, record, prompts).replay(trajectory, problem)

The thoughts and the reply of a turn, joined by a blank line, are given as one reply to a Dialogue of the strategy
multi_turn, with the run's feedback, prompts, extraction, system instruction and prefill, and the recorded report on the
turn's public tests. So the prompts are byte for byte those that evaluation without such prompts sends. A dialogue is
dropped where the joined reply holds another program than was judged, where it would end at another turn, or where the
recorded statement or feedback is not what these data and prompts make.

Replies are learnt as they were sampled, marks of thinking included; the history before them shows what evaluation
shows, which is no thinking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from turnwise.records.problem import Problem
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Call, End, Message, Reply, Trajectory, Turn
from turnwise.runners.models.chat import ChatMessage, sendable, to_chat
from turnwise.tasks.catalog import Task
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan, RunPublicTests
from turnwise.tasks.plan import strategy_of
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import Strategy
from turnwise.training.data.selection import Reason

JOINT = "\n\n"
_AS_RECORDED = ("system", "statement", "feedback")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn of a plain dialogue: all messages that the model is sent, and what it says.

    ``parts`` are the token ids of the calls whose texts were joined, None where they were not recorded.
    """

    messages: tuple[Message, ...]
    text: str
    parts: tuple[tuple[int, ...], ...] | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A dialogue to learn from."""

    task: str
    problem: str
    sample: int
    run: str
    exchanges: tuple[Exchange, ...]

    @property
    def messages(self) -> list[ChatMessage]:
        """The messages of the last turn's prompt as servers take them, and behind them the last reply as sampled."""
        last = self.exchanges[-1]
        chat = to_chat(last.messages)
        if chat[-1]["role"] == "assistant":  # the beginning of the answer
            chat[-1]["content"] += last.text
        else:
            chat.append({"role": "assistant", "content": last.text})
        return chat


class Replay:
    """Replays the dialogues of a task of a run as plain ones."""

    def __init__(self, settings: RunSettings, task: Task, record: TaskRecord, prompts: PromptSet) -> None:
        settings = replace(settings, max_turns=record.max_turns)
        self._recorded = strategy_of(settings, replace(task, max_turns=record.max_turns)).turns
        plain = tuple(replace(turn, reasoning=(), instruction="") for turn in self._recorded)
        self._plan = DialoguePlan(
            task.name,
            Strategy("multi_turn", plain),
            prompts,
            settings.seed,
            settings.extraction,
            settings.system_instruction,
            settings.prefill,
        )

    def replay(self, trajectory: Trajectory, problem: Problem, run: str = "") -> Conversation | Reason:
        """Return the plain dialogue, or why there is none."""
        dialogue = Dialogue(problem, trajectory.sample, self._plan)
        exchanges: list[Exchange] = []
        for turn in trajectory.turns:
            step = dialogue.next_step()
            if not isinstance(step, Ask):
                return Reason.OTHER_END
            if not turn.calls or not self._is_as_recorded(step.messages, turn, len(exchanges)):
                return Reason.OTHER_PROMPTS
            text = JOINT.join(call.reply.text for call in turn.calls)
            if sendable(text) != text:
                return Reason.NO_UNICODE
            exchanges.append(Exchange(step.messages, text, _token_ids(turn.calls)))
            dialogue.reply(Reply(text))
            step = dialogue.next_step()
            if not isinstance(step, RunPublicTests) or step.program != turn.program:
                return Reason.OTHER_PROGRAM
            if any(result.index >= len(problem.public_tests) for result in turn.public_report.public):
                return Reason.OTHER_PROMPTS
            dialogue.report(turn.public_report)
        dialogue.stop(End.NO_MORE_ANSWERS)  # unless it has ended
        if dialogue.trajectory().end is not trajectory.end:
            return Reason.OTHER_END
        return Conversation(trajectory.task, trajectory.problem, trajectory.sample, run, tuple(exchanges))

    def _is_as_recorded(self, messages: Sequence[Message], turn: Turn, number: int) -> bool:
        """Return whether the turn was opened as it is here; feedback before reasoning does not ask for the program."""
        kinds = _AS_RECORDED[:2] if self._recorded[number].reasoning else _AS_RECORDED
        opened = _opening(turn.calls[0].messages, kinds)
        begin = max((at for at, message in enumerate(messages, 1) if message.kind == "reply"), default=0)
        return opened == _opening(messages[begin:], kinds)


def _opening(messages: Sequence[Message], kinds: Sequence[str]) -> Mapping[str, str]:
    return {message.kind: message.content for message in messages if message.kind in kinds}


def _token_ids(calls: Sequence[Call]) -> tuple[tuple[int, ...], ...] | None:
    parts = [call.reply.token_ids for call in calls]
    return tuple(part for part in parts if part is not None) if None not in parts else None
