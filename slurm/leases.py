"""The shards that one worker takes: its own first, then what nobody has, then what its owner lost.

What an earlier life of this worker had open is its own again. A shard that crashed is taken alone, when there is
nothing else, so that the one at fault is told from those beside it.
"""

import random
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass

from turnwise.records.run_folder import Shard
from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.events import CLAIM, EventLog
from turnwise.slurm.heartbeats import LOST_SECONDS, Heartbeat

_MOST_LOOKED_AT = 32
# States of a job that ended with all its processes; what SLURM does to a job (a lost node, preemption) is none of them.
_CRASHED = ("OUT_OF_MEMORY", "FAILED")


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
            self._events.write(CLAIM, task=shard.task, shard=shard.number, attempt=state.last + 1)
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
