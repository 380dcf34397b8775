"""Claims on shards: which worker has which shard, and how each attempt at it ended, as files of one folder.

    claims/<step>/<task>/00012.1           the first attempt; its text says who makes it
    claims/<step>/<task>/00012.1.crashed   how it ended: done, stopped, crashed, lost, or reset by a new submission

An attempt is taken by creating its file exclusively, so of two workers one gets it. A claim without an end whose
owner's heartbeat is old has been lost (a power cut): whoever finds it says so and makes the next attempt. The
names alone tell the state, so a folder is read by one listing. A claim only saves work: should two workers have
one shard all the same, the store commits it once.
"""

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from turnwise.files import inside, read_whole
from turnwise.json_text import json_text
from turnwise.records.run_folder import Shard

CRASHES = 3
_LARGEST = 2**16  # bytes, of what a claim says of its owner


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

    def take(self, shard: Shard, state: ShardState, **owner: Any) -> Claim | None:
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
