"""Claims on shards: which worker has which shard, and how each attempt at it ended, as files of one folder.

    claims/<step>/<task>/00012.1           the first attempt; its text says who makes it
    claims/<step>/<task>/00012.1.crashed   how it ended: done, stopped, crashed, lost, or reset by a new submission

An attempt is taken by creating its file exclusively, so of two workers one gets it. A claim without an end whose
owner's heartbeat is old has been lost (a power cut): whoever finds it says so and makes the next attempt. The
names alone tell the state, so a folder is read by one listing. A claim only saves work: should two workers have
one shard all the same, the store commits it once.

A heartbeat is a file per worker that is touched while it lives; ages are by the file system's own clock. Leases are
the claims of one worker: it takes its own shards first, then what nobody has, then what its owner lost. What an
earlier life of this worker had open is its own again. A shard that crashed is taken alone, when there is nothing else,
so that the one at fault is told from those beside it.
"""

import json
import os
import random
import re
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from turnwise.files import inside, read_whole
from turnwise.json_text import json_text
from turnwise.records.run_folder import Shard
from turnwise.slurm.events import CLAIM, Event, EventLog, now

CRASHES = 3
_LARGEST = 2**16  # bytes, of what a claim says of its owner
BEAT_SECONDS = 20.0
LOST_SECONDS = 180.0
_MOST_LOOKED_AT = 32
# States of a job that ended with all its processes; what SLURM does to a job (a lost node, preemption) is none of them.
_CRASHED = ("OUT_OF_MEMORY", "FAILED")


class Ended(StrEnum):
    """How an attempt at a shard ended."""

    DONE = "done"
    STOPPED = "stopped"
    CRASHED = "crashed"
    LOST = "lost"
    RESET = "reset"


_NAME = re.compile(rf"(?P<number>[0-9]{{5,9}})\.(?P<attempt>[0-9]{{1,9}})(\.(?P<ended>{'|'.join(Ended)}))?")


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at a shard."""

    shard: Shard
    attempt: int


@dataclass(slots=True)
class ShardState:
    """What the claims on one shard say: how its attempts ended, None for one that goes on."""

    attempts: dict[int, Ended | None] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """The number of the latest attempt, 0 before the first."""
        return max(self.attempts, default=0)

    @property
    def ended(self) -> Ended | None:
        """How the latest attempt ended."""
        return self.attempts.get(self.last)

    @property
    def crashes(self) -> int:
        """How many attempts crashed since the shard was last reset."""
        resets = [number for number, how in self.attempts.items() if how is Ended.RESET]
        return sum(how is Ended.CRASHED and number > max(resets, default=0) for number, how in self.attempts.items())

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.ended is Ended.DONE

    @property
    def is_poison(self) -> bool:
        """Whether it is left out, since it crashed too often."""
        return self.crashes >= CRASHES

    @property
    def is_open(self) -> bool:
        """Whether a worker has it."""
        return self.last > 0 and self.ended is None

    @property
    def is_free(self) -> bool:
        """Whether it may be taken."""
        return not (self.is_open or self.is_done or self.is_poison)


class Claims:
    """The claims of one step."""

    def __init__(self, folder: Path, worker: str) -> None:
        self._folder = folder
        self._worker = worker

    def states(self, task: str) -> dict[int, ShardState]:
        """Return the state of every shard of ``task`` that was ever claimed, by number; one listing of a folder."""
        states: dict[int, ShardState] = {}
        try:
            names = [path.name for path in inside(self._folder, task).iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return states
        for match in filter(None, map(_NAME.fullmatch, names)):
            attempts = states.setdefault(int(match["number"]), ShardState()).attempts
            if match["ended"]:
                attempts[int(match["attempt"])] = Ended(match["ended"])
            else:
                attempts.setdefault(int(match["attempt"]), None)
        return states

    def state(self, shard: Shard) -> ShardState:
        """Return the state of one shard."""
        return self.states(shard.task).get(shard.number, ShardState())

    def take(self, shard: Shard, state: ShardState, **owner: object) -> Claim | None:
        """Make the next attempt at ``shard``, whose ``state`` was seen; None if another worker was faster."""
        claim = Claim(shard, state.last + 1)
        text = json_text({"worker": self._worker, "time": round(time.time(), 3), **owner})
        return claim if _create(self._path(claim), text) else None

    def end(self, claim: Claim, how: Ended) -> None:
        """Say how an attempt ended; what is said first holds."""
        _create(self._path(claim).with_name(f"{self._path(claim).name}.{how}"), "")

    def reset(self, shard: Shard, state: ShardState) -> None:
        """Let a shard that is done or poison be taken again, with its crashes forgotten."""
        claim = self.take(shard, state)
        if claim is not None:
            self.end(claim, Ended.RESET)

    def owner(self, claim: Claim) -> Mapping[str, Any]:
        """Return what the claim says of its owner; empty if it was cut before it said anything."""
        try:
            data = json.loads(read_whole(self._path(claim), limit=_LARGEST, follow=False))
        except (OSError, ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}

    def age(self, claim: Claim, now: float) -> float:
        """Return the seconds since the claim was made, by the clock of the file system."""
        try:
            return now - self._path(claim).stat().st_mtime
        except OSError:
            return 0.0

    def _path(self, claim: Claim) -> Path:
        return inside(self._folder, claim.shard.task, f"{claim.shard.name}.{claim.attempt}")


def _create(path: Path, text: str) -> bool:
    """Create ``path``; return False if it is there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _create(path, text)
    except FileExistsError:
        return False
    try:
        os.write(descriptor, text.encode("utf-8"))
    except OSError:  # a full disk: nobody has it
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return True


class Heartbeat:
    """The heartbeat of one worker, and the ages of others' beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beaten = 0.0
        self._touched = 0.0

    def beat(self, *, now: bool = False) -> None:
        """Touch the file, unless that was a short while ago."""
        if now or time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            try:
                self._path.touch()
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch()
            self._touched = self._path.stat().st_mtime

    def now(self) -> float:
        """Return the time by the file system's clock, whatever this node's clock says."""
        self.beat()
        return self._touched + time.monotonic() - self._beaten

    def is_lost(self, worker: str) -> bool:
        """Return whether ``worker`` has not touched its file for long."""
        try:
            touched = self._path.with_name(worker).stat().st_mtime
        except FileNotFoundError:
            return True
        return self.now() - touched > LOST_SECONDS

    def end(self) -> None:
        """Remove the file: this worker has ended and said so."""
        self._path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who claims: the worker's name, its job and node."""

    worker: str
    job: str
    node: str


class Leases:
    """Takes and ends the claims of one worker; ``shards`` are in the order in which it looks for them."""

    def __init__(
        self,
        claims: Claims,
        shards: Sequence[Shard],
        owner: Owner,
        *,
        heartbeat: Heartbeat,
        events: EventLog,
        is_ready: Callable[[Shard], bool] = lambda _: True,
        job_state: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._claims = claims
        self._shards = shards
        self._owner = owner
        self._heartbeat = heartbeat
        self._events = events
        self._is_ready = is_ready
        self._job_state = job_state
        self._states = {task: claims.states(task) for task in {shard.task for shard in shards}}
        self._open: dict[tuple[str, int], Claim] = {}
        self._tried: set[tuple[str, int]] = set()

    def take_back(self, earlier: Container[tuple[str, int]]) -> None:
        """Say of attempts at ``earlier`` shards that an earlier life of this worker left open that they were lost."""
        for shard in self._shards:
            state = self._state(shard)
            claim = Claim(shard, state.last)
            if (shard.task, shard.number) in earlier and state.is_open and self._is_mine(claim):
                self._claims.end(claim, Ended.LOST)
        self._refresh()

    def fresh(self) -> Iterator[Shard]:
        """Yield shards that never crashed, each claimed just before."""
        yield from self._take_all(lambda state: state.is_free and not state.crashes)
        self._refresh()
        yield from self._take_all(lambda state: state.is_free and not state.crashes)
        self._release_lost()
        yield from self._take_all(lambda state: state.is_free and not state.crashes)

    def suspect(self) -> Shard | None:
        """Return a shard that crashed before, claimed; None if there is none."""
        self._refresh()
        return next(self._take_all(lambda state: state.is_free and state.crashes > 0), None)

    def done(self, shard: Shard) -> None:
        """Say that a shard is done."""
        self._end(shard, Ended.DONE)

    def earlier_owners(self, shard: Shard) -> set[str]:
        """Return the workers of the attempts at a shard before this worker's."""
        claim = self._open[shard.task, shard.number]
        owners = [self._claims.owner(Claim(shard, attempt)) for attempt in range(1, claim.attempt)]
        return {str(owner["worker"]) for owner in owners if "worker" in owner}

    def stop(self) -> None:
        """Give back what is open: this worker was told to stop, and what it has is on the disk."""
        for claim in list(self._open.values()):
            self._end(claim.shard, Ended.STOPPED)

    def _take_all(self, wanted: Callable[[ShardState], bool]) -> Iterator[Shard]:
        for shard in self._shards:
            key = (shard.task, shard.number)
            state = self._state(shard)
            if key in self._tried or not wanted(state) or not self._is_ready(shard):
                continue
            # First said, then done: whoever comes after a crash between the two knows where to look.
            self._events.write(Event(now(), CLAIM, task=shard.task, shard=shard.number, attempt=state.last + 1))
            claim = self._claims.take(shard, state, job=self._owner.job, node=self._owner.node)
            if claim is None:
                self._states[shard.task] = self._claims.states(shard.task)
                continue
            self._tried.add(key)
            self._open[key] = claim
            yield shard

    def _release_lost(self) -> None:
        """Say of attempts whose owner is gone that they were lost; looks at a few, since a thousand workers do."""
        lost: dict[str, bool] = {}
        others = [one for one in self._shards if self._state(one).is_open and (one.task, one.number) not in self._open]
        for shard in random.sample(others, min(len(others), _MOST_LOOKED_AT)):
            claim = Claim(shard, self._state(shard).last)
            owner = self._claims.owner(claim)
            worker = owner.get("worker", "")
            if worker not in lost:
                lost[worker] = self._heartbeat.is_lost(worker) if worker else self._is_old(claim)
            if lost[worker]:
                has_failed = bool(owner.get("job")) and self._job_state(owner["job"]) in _CRASHED
                self._claims.end(claim, Ended.CRASHED if has_failed else Ended.LOST)
        self._refresh()

    def _is_mine(self, claim: Claim) -> bool:
        return self._claims.owner(claim).get("worker") == self._owner.worker

    def _is_old(self, claim: Claim) -> bool:
        return self._claims.age(claim, self._heartbeat.now()) > LOST_SECONDS

    def _end(self, shard: Shard, how: Ended) -> None:
        claim = self._open.pop((shard.task, shard.number), None)
        if claim is not None:
            self._claims.end(claim, how)

    def _refresh(self) -> None:
        self._states = {task: self._claims.states(task) for task in self._states}

    def _state(self, shard: Shard) -> ShardState:
        return self._states[shard.task].get(shard.number, ShardState())
