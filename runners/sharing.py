"""Replies that another run of the same experiment has already had: what is asked in the same words is asked once.

Two cells of a grid may begin alike: the same reasoning before another instruction, the same first turn before
another kind of feedback. Such a call has the same messages and the same seed in both, so the reply of the run that
was first is the reply of the other one, too; their scores are paired by it. From the first difference on each asks
for itself. A donor has the same plan, model, seed and sampling; whoever chooses it sees to that.
"""

from turnwise.records.run_folder import DialogueKey, RunFolder, Shard
from turnwise.records.trajectory import Message, Reply, Trajectory
from turnwise.runners.models.sampler import Request

_SHARDS = 4  # kept in memory: dialogues are opened in plan order, so those that are open stand in few


class Donor:
    """A run whose replies may be taken over, read shard by shard."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._shards: dict[tuple[str, DialogueKey], Shard] = {
            (shard.task, key): shard for shard in folder.shards for key in shard.keys
        }
        self._keeps_reasoning = bool(folder.record.settings.keep_reasoning)
        self._read: dict[tuple[str, int], dict[DialogueKey, Trajectory]] = {}

    def find(self, request: Request) -> Reply | None:
        """Return the donor's reply to exactly these messages at this place of this dialogue, or None."""
        trajectory = self._dialogue(request)
        if trajectory is None or request.turn >= len(trajectory.turns):
            return None
        calls = trajectory.turns[request.turn].calls
        if request.call >= len(calls) or self._messages(trajectory, request) != request.messages:
            return None
        return calls[request.call].reply

    def _dialogue(self, request: Request) -> Trajectory | None:
        key = (request.problem, request.sample)
        shard = self._shards.get((request.task, key))
        if shard is None:
            return None
        name = (shard.task, shard.number)
        if name not in self._read:
            while len(self._read) >= _SHARDS:
                del self._read[next(iter(self._read))]
            found = self._folder.read_shard(shard) or []
            self._read[name] = {(one.problem, one.sample): one for one in found}
        return self._read[name].get(key)

    def _messages(self, trajectory: Trajectory, request: Request) -> tuple[Message, ...]:
        """Return all messages before the donor's call at the place of ``request``, as its dialogue said them."""
        messages: list[Message] = []
        for number, turn in enumerate(trajectory.turns[: request.turn + 1]):
            if not self._keeps_reasoning:
                messages = [message for message in messages if message.kind not in ("reasoning", "thought")]
            calls = turn.calls if number < request.turn else turn.calls[: request.call]
            for index, call in enumerate(calls, 1):
                kind = "reply" if index == len(turn.calls) else "thought"
                messages += [message for message in call.messages if message.kind != "prefill"]
                messages.append(Message("assistant", kind, "", call.answer))
        return (*messages, *trajectory.turns[request.turn].calls[request.call].messages)
