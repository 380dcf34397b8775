"""The store of trajectories: shards that survive kill -9, in the layout of a run folder.

    trajectories/<task>/00000.jsonl              a shard, committed whole: one trajectory per line, in plan order
    trajectories/<task>/00000.<attempt>.part     replies of an attempt at it, appended as they come

An attempt logs each reply of the model as soon as it is there. Resuming reads what earlier attempts left (a
torn last line is ignored, another attempt's file is never appended to), so no finished call is repeated:
the dialogue machine is driven again with the replies at hand. A shard is written under a temporary name in
the same folder, synced and committed once (files.py), so the first of two attempts wins; its attempt files
go afterwards. A committed dialogue that is missing (its request failed) is tried again, and the shard
replaced if that changed anything. The store judges nothing and knows no model.

Nor is a call made that another run of the same experiment has made: two cells of a grid may begin alike, the same
reasoning before another instruction, the same first turn before another kind of feedback. Such a call has the same
messages and the same seed in both, so the reply of the run that was first (the donor) is the reply of the other one,
too; their scores are paired by it. From the first difference on each asks for itself.
"""

import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from turnwise.files import commit_once, finish_commit, inside, lines_of, sync_folder, write_atomically, write_synced
from turnwise.json_text import json_line
from turnwise.records.codec import to_json, to_line
from turnwise.records.run_folder import DialogueKey, RunFolder, Shard, digest_file, digest_line
from turnwise.records.trajectory import Reply, Trajectory, read_reply
from turnwise.runners.logs import AppendLog, Syncer
from turnwise.runners.models.sampler import Request, Sampler
from turnwise.tasks.dialogue import messages_of

_DONOR_SHARDS = 4  # kept in memory: dialogues are opened in plan order, so those that are open stand in few
SHARD_DIALOGUES = 64
_LONGEST_LINE = 2**28  # bytes of one reply, ids and log-probabilities of its tokens included

CallKey = tuple[str, int, int, int]


class ShardStore:
    """What is known of one shard, and where more is written.

    Raises TurnwiseError if a committed shard is damaged or belongs to another plan.
    """

    def __init__(self, folder: RunFolder, shard: Shard, *, syncer: Syncer | None = None) -> None:
        self.shard = shard
        self._final = folder.shard_file(shard)
        self._folder = self._final.parent
        self._log = AppendLog(self._folder / f"{shard.name}.{os.getpid()}-{time.time_ns()}.part")
        self._syncer = syncer
        if syncer is not None:
            syncer.watch(self._log)
        self.replies: dict[CallKey, Reply] = {}
        left = sorted(self._folder.glob(f"{self.shard.name}.*"))
        left = [inside(self._folder, path.name) for path in left]
        if any(path.suffix.startswith(".commit") for path in left):
            finish_commit(self._final)
        found = folder.read_shard(shard)
        self._committed = {(one.problem, one.sample): one for one in found or ()}
        self._ended: dict[DialogueKey, Trajectory] = {}
        for trajectory in self._committed.values():
            self._learn(trajectory)
        for path in left:
            if path.suffix == ".part" and path.is_file():
                self.replies.update(_read_attempt(path))
        if self.is_complete:
            self._write_digest()  # the attempt that committed it may have ended just before
            self._remove_attempts()

    @property
    def is_complete(self) -> bool:
        """Whether the shard is committed and none of its dialogues is missing."""
        return bool(self._committed) and not any(one.is_missing for one in self._committed.values())

    def finished(self) -> list[Trajectory]:
        """Return the committed trajectories that need not be driven again."""
        return [trajectory for trajectory in self._committed.values() if not trajectory.is_missing]

    def add_reply(self, key: CallKey, reply: Reply) -> None:
        """Log a reply; it survives the end of this process at once and a power cut soon."""
        self.replies[key] = replace(reply, context=None)  # which the dialogue holds, as long as it needs it
        self._log.write(json_line({"call": key, "reply": to_json(reply)}))

    def add_trajectory(self, trajectory: Trajectory) -> bool:
        """Take a dialogue that has ended; return whether it was the last one, so that the shard can be committed."""
        self._ended[trajectory.problem, trajectory.sample] = trajectory
        return len(self._ended) == len(self.shard.keys)

    def commit(self) -> None:
        """Write the shard whole, unless another attempt did or nothing changed; waits for the disk."""
        if self.is_complete:
            self.close()
            return
        trajectories = [self._ended[key] for key in self.shard.keys]
        lines = [to_line(trajectory) for trajectory in trajectories]
        if lines != [to_line(trajectory) for trajectory in self._committed.values()]:
            self._write("\n".join([*lines, ""]).encode("ascii"))
        self.close()
        if not any(trajectory.is_missing for trajectory in trajectories):
            self._remove_attempts()

    def close(self) -> None:
        """Sync and close the log of this attempt; it stays for the next one unless the shard was committed."""
        if self._syncer is not None:
            self._syncer.forget(self._log)
        self._log.close()

    def _write(self, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._log.path.with_suffix(".tmp")
        write_synced(temporary, data)
        if self._committed:  # dialogues that were missing are there now
            digest_file(self._final).unlink(missing_ok=True)
            temporary.replace(self._final)
            self._write_digest()
        else:
            # Another attempt may have been first, with the same replies or its own, and have cleared up.
            if commit_once(temporary, self._final):
                self._write_digest()
        sync_folder(self._folder)

    def _write_digest(self) -> None:
        path = digest_file(self._final)
        if not path.exists():
            write_atomically(path, digest_line(self._final, self._final.read_bytes()))

    def _remove_attempts(self) -> None:
        for path in self._folder.glob(f"{self.shard.name}.*"):
            if path.suffix in (".part", ".tmp"):
                path.unlink(missing_ok=True)
            elif path.suffix == ".tmpdir":  # of an attempt that was killed where there are no hard links
                shutil.rmtree(path, ignore_errors=True)

    def _learn(self, trajectory: Trajectory) -> None:
        for turn_number, turn in enumerate(trajectory.turns):
            for call_number, call in enumerate(turn.calls):
                self.replies[trajectory.problem, trajectory.sample, turn_number, call_number] = call.reply


class Donor:
    """A run whose replies may be taken over, read shard by shard.

    It has the same plan, model, seed and sampling; whoever chooses it sees to that.
    """

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
        if request.call >= len(calls):
            return None
        sent = messages_of(trajectory, request.turn, request.call, keep_reasoning=self._keeps_reasoning)
        if sent != request.messages:
            return None
        return calls[request.call].reply

    def _dialogue(self, request: Request) -> Trajectory | None:
        key = (request.problem, request.sample)
        shard = self._shards.get((request.task, key))
        if shard is None:
            return None
        name = (shard.task, shard.number)
        if name not in self._read:
            while len(self._read) >= _DONOR_SHARDS:
                del self._read[next(iter(self._read))]
            found = self._folder.read_shard(shard) or []
            self._read[name] = {(one.problem, one.sample): one for one in found}
        return self._read[name].get(key)


class ResumingSampler:
    """A sampler that asks the model only for what no earlier attempt has been answered, and logs every reply.

    It knows the dialogues of the stores that were added and not yet dropped. What a ``donor`` was answered is
    not asked either.
    """

    def __init__(self, sampler: Sampler, donor: Donor | None = None) -> None:
        self._sampler = sampler
        self._donor = donor
        self._stores: dict[tuple[str, str, int], ShardStore] = {}
        self.description = sampler.description

    def add(self, store: ShardStore) -> None:
        """Ask for the dialogues of ``store`` from now on."""
        self._stores.update((key, store) for key in _dialogues(store))

    def drop(self, store: ShardStore) -> None:
        """Forget a store whose dialogues have all ended."""
        for key in _dialogues(store):
            del self._stores[key]

    async def generate(self, request: Request) -> Reply | None:
        """Return the reply at hand or a new one; raises what the sampler raises."""
        store = self._stores[request.task, request.problem, request.sample]
        key = (request.problem, request.sample, request.turn, request.call)
        if key in store.replies:
            return store.replies[key]
        reply = self._donor.find(request) if self._donor is not None else None
        if reply is None:
            reply = await self._sampler.generate(request)
        if reply is not None:
            store.add_reply(key, reply)
        return reply

    def close(self) -> None:
        """Close the stores that are still open; their logs stay for the next attempt."""
        for store in set(self._stores.values()):
            store.close()


def _dialogues(store: ShardStore) -> list[tuple[str, str, int]]:
    return [(store.shard.task, problem, sample) for problem, sample in store.shard.keys]


def _read_attempt(path: Path) -> dict[CallKey, Reply]:
    replies: dict[CallKey, Reply] = {}
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in lines_of(file, longest=_LONGEST_LINE):
            try:
                entry = json.loads(line)
                problem, sample, turn, call = entry["call"]
                replies[str(problem), int(sample), int(turn), int(call)] = read_reply(entry["reply"])
            except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
                continue  # a torn line: that call is made again
    return replies
