"""The store of trajectories: shards that survive kill -9, in the layout of a run folder.

    trajectories/<task>/00000.jsonl              a shard, committed whole: one trajectory per line, in plan order
    trajectories/<task>/00000.<attempt>.part     replies of an attempt at it, appended as they come

An attempt logs each reply of the model as soon as it is there. Resuming reads what earlier attempts left (a
torn last line is ignored, another attempt's file is never appended to), so no finished call is repeated:
the dialogue machine is driven again with the replies at hand. A shard is written under a temporary name in
the same folder, synced and committed by an exclusive link, so the first of two attempts wins; its attempt
files go afterwards. A committed dialogue that is missing (its request failed) is tried again, and the shard
replaced if that changed anything. The store judges nothing and knows no model.
"""

import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.runners.sampler import Request, Sampler
from turnwise.tasks.trajectory import Reply, Trajectory

SHARD_DIALOGUES = 64
SYNC_SECONDS = 5.0

DialogueKey = tuple[str, int]
CallKey = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Shard:
    """A consecutive part of a task's plan: which dialogues (problem, sample), in which order."""

    task: str
    number: int
    keys: tuple[DialogueKey, ...]


def cut_shards(task: str, keys: Sequence[DialogueKey], *, size: int = SHARD_DIALOGUES) -> tuple[Shard, ...]:
    """Return the shards of a plan, ``size`` dialogues each: the same cut wherever the run goes on."""
    starts = range(0, len(keys), size)
    return tuple(Shard(task, number, tuple(keys[start : start + size])) for number, start in enumerate(starts))


class ShardStore:
    """What is known of one shard, and where more is written.

    Raises TurnwiseError if a committed shard is damaged or belongs to another plan.
    """

    def __init__(self, run_folder: Path, shard: Shard) -> None:
        self.shard = shard
        self._folder = run_folder / "trajectories" / shard.task
        self._final = self._folder / f"{shard.number:05d}.jsonl"
        self._log: Any = None
        self._log_path = self._folder / f"{shard.number:05d}.{os.getpid()}-{time.time_ns()}.part"
        self._synced = time.monotonic()
        self.replies: dict[CallKey, Reply] = {}
        self.committed = self._read_final()
        self._ended: dict[DialogueKey, Trajectory] = {}
        for trajectory in self.committed.values():
            self._learn(trajectory)
        for path in sorted(self._folder.glob(f"{shard.number:05d}.*.part")):
            self.replies.update(_read_attempt(path))

    def finished(self) -> Iterable[Trajectory]:
        """Return the committed trajectories that need not be driven again."""
        return [trajectory for trajectory in self.committed.values() if not trajectory.is_missing]

    def add_reply(self, key: CallKey, reply: Reply) -> None:
        """Log a reply; it survives the end of this process at once and a power cut soon."""
        self.replies[key] = reply
        if self._log is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._log = self._log_path.open("ab")
        line = json.dumps({"call": key, "reply": reply.to_json()}, separators=(",", ":"))
        self._log.write(line.encode("ascii") + b"\n")
        self._log.flush()
        if time.monotonic() - self._synced > SYNC_SECONDS:
            os.fsync(self._log.fileno())
            self._synced = time.monotonic()

    def add_trajectory(self, trajectory: Trajectory) -> None:
        """Take a dialogue that has ended; the last one of the shard commits it."""
        self._ended[trajectory.problem, trajectory.sample] = trajectory
        if len(self._ended) == len(self.shard.keys):
            self._commit([self._ended[key] for key in self.shard.keys])

    def close(self) -> None:
        """Sync and close the log of this attempt; it stays for the next one unless the shard was committed."""
        if self._log is not None:
            os.fsync(self._log.fileno())
            self._log.close()
            self._log = None

    def _commit(self, trajectories: list[Trajectory]) -> None:
        lines = [trajectory.to_line() for trajectory in trajectories]
        if lines != [trajectory.to_line() for trajectory in self.committed.values()]:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = self._log_path.with_suffix(".tmp")
            with temporary.open("wb") as file:
                file.write("\n".join([*lines, ""]).encode("ascii"))
                file.flush()
                os.fsync(file.fileno())
            if self.committed:  # dialogues that were missing are there now
                temporary.replace(self._final)
            else:
                with suppress(FileExistsError):  # another attempt was first, with the same replies or its own
                    os.link(temporary, self._final)
                temporary.unlink()
            _sync_folder(self._folder)
        self.close()
        for path in self._folder.glob(f"{self.shard.number:05d}.*.part"):
            path.unlink(missing_ok=True)

    def _read_final(self) -> dict[DialogueKey, Trajectory]:
        if not self._final.exists():
            return {}
        remedy = "it is damaged or of another run; remove it to sample that shard again."
        try:
            lines = self._final.read_text(encoding="ascii").splitlines()
            found = [Trajectory.from_json(json.loads(line)) for line in lines]
        except (ValueError, KeyError, TypeError) as error:
            raise TurnwiseError(
                f"The shard {str(self._final)!r} cannot be read ({type(error).__name__}): {remedy}"
            ) from None
        if tuple((one.problem, one.sample) for one in found) != self.shard.keys:
            raise TurnwiseError(f"The shard {str(self._final)!r} does not hold the dialogues of the plan: {remedy}")
        return {(one.problem, one.sample): one for one in found}

    def _learn(self, trajectory: Trajectory) -> None:
        for turn_number, turn in enumerate(trajectory.turns):
            for call_number, call in enumerate(turn.calls):
                self.replies[trajectory.problem, trajectory.sample, turn_number, call_number] = call.reply


class ResumingSampler:
    """A sampler that asks the model only for what no earlier attempt has been answered, and logs every reply."""

    def __init__(self, sampler: Sampler, stores: Iterable[ShardStore]) -> None:
        self._sampler = sampler
        self._stores = {key: store for store in stores for key in store.shard.keys}
        self.description = sampler.description

    async def generate(self, request: Request) -> Reply | None:
        """Return the reply at hand or a new one; raises RequestError as the sampler does."""
        store = self._stores[request.problem, request.sample]
        key = (request.problem, request.sample, request.turn, request.call)
        if key in store.replies:
            return store.replies[key]
        reply = await self._sampler.generate(request)
        if reply is not None:
            store.add_reply(key, reply)
        return reply


def _read_attempt(path: Path) -> dict[CallKey, Reply]:
    replies: dict[CallKey, Reply] = {}
    with suppress(FileNotFoundError), path.open("rb") as lines:
        for line in lines:
            try:
                entry = json.loads(line)
                problem, sample, turn, call = entry["call"]
                replies[str(problem), int(sample), int(turn), int(call)] = Reply.from_json(entry["reply"])
            except (ValueError, KeyError, TypeError):
                continue  # a torn line: that call is made again
    return replies


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
