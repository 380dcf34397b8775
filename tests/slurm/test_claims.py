"""Claims on shards: one worker gets each, and how its attempts ended decides who may have it next."""

import os
import threading
from pathlib import Path

from turnwise.records.run_folder import Shard
from turnwise.slurm.claims import CRASHES, LOST_SECONDS, Claim, Claims, Ended, Heartbeat, Leases, Owner, ShardState
from turnwise.slurm.events import Event, EventLog

SHARDS = [Shard("task", number, ((f"p{number}", 0),)) for number in range(6)]


class NoEvents(EventLog):
    """Forgets events."""

    def __init__(self) -> None:
        pass

    def write(self, event: Event) -> None:
        """Forget one."""


def leases_of(folder: Path, worker: str, shards: list[Shard] = SHARDS) -> Leases:
    """Return the leases of a worker that lives."""
    heartbeat = Heartbeat(folder / "heartbeats" / worker)
    heartbeat.beat()
    claims, owner = Claims(folder / "claims", worker), Owner(worker, "1", "node1")
    leases = Leases(claims, shards, owner, heartbeat=heartbeat, events=NoEvents())
    leases.take_back({(shard.task, shard.number) for shard in shards})
    return leases


def test_two_workers_share_the_shards(tmp_path: Path) -> None:
    """Each shard is taken once, whoever asks."""
    one, two = leases_of(tmp_path, "one"), leases_of(tmp_path, "two", SHARDS[::-1])
    first, second = one.fresh(), two.fresh()
    taken = [shard.number for pair in zip(first, second, strict=False) for shard in pair]
    taken += [shard.number for rest in (first, second) for shard in rest]
    assert sorted(taken) == [shard.number for shard in SHARDS]


def test_of_many_threads_one_takes_a_shard(tmp_path: Path) -> None:
    """A claim is exclusive, however many try at once."""
    won: list[Claim] = []
    start = threading.Barrier(16)

    def take(number: int) -> None:
        start.wait()
        claim = Claims(tmp_path, f"worker{number}").take(SHARDS[0], ShardState())
        if claim is not None:
            won.append(claim)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_what_crashed_comes_last_alone_and_is_left_out_after_three_times(tmp_path: Path) -> None:
    """A shard that crashed is no longer among the fresh ones, and after the third time among none."""
    claims = Claims(tmp_path / "claims", "one")
    assert next(leases_of(tmp_path, "one").fresh()) == SHARDS[0]
    claims.end(Claim(SHARDS[0], 1), Ended.CRASHED)
    leases = leases_of(tmp_path, "one")
    for shard in leases.fresh():
        assert shard != SHARDS[0]
        leases.done(shard)
    for attempt in (2, CRASHES):
        suspecting = leases_of(tmp_path, "one")
        assert list(suspecting.fresh()) == []
        assert suspecting.suspect() == SHARDS[0] and suspecting.suspect() is None
        claims.end(Claim(SHARDS[0], attempt), Ended.CRASHED)
    assert claims.state(SHARDS[0]).is_poison
    assert leases_of(tmp_path, "one").suspect() is None
    claims.reset(SHARDS[0], claims.state(SHARDS[0]))
    assert claims.state(SHARDS[0]).is_free and not claims.state(SHARDS[0]).crashes


def test_what_a_worker_lost_is_taken_by_others_once_its_heartbeat_is_old(tmp_path: Path) -> None:
    """A claim of a worker that lives is left alone; one whose owner is gone is taken, without counting as a crash."""
    assert len(list(leases_of(tmp_path, "gone").fresh())) == 6
    assert list(leases_of(tmp_path, "other").fresh()) == []
    path = tmp_path / "heartbeats" / "gone"
    old = path.stat().st_mtime - LOST_SECONDS - 60
    os.utime(path, (old, old))
    assert len(list(leases_of(tmp_path, "other").fresh())) == 6
    state = Claims(tmp_path / "claims", "").state(SHARDS[0])
    assert state.attempts == {1: Ended.LOST, 2: None} and state.crashes == 0


def test_a_worker_takes_back_what_its_earlier_life_had(tmp_path: Path) -> None:
    """After a requeue nobody waits for the heartbeat: the same slot knows that it is gone."""
    assert len(list(leases_of(tmp_path, "one").fresh())) == 6
    assert len(list(leases_of(tmp_path, "one").fresh())) == 6


def test_a_claim_that_was_cut_is_open_until_it_is_old(tmp_path: Path) -> None:
    """A claim without a word of its owner, as a power cut leaves it, is not taken at once."""
    path = tmp_path / "claims" / "task" / "00000.1"
    path.parent.mkdir(parents=True)
    path.touch()
    assert SHARDS[0] not in list(leases_of(tmp_path, "one").fresh())
    os.utime(path, (path.stat().st_mtime - LOST_SECONDS - 60,) * 2)
    assert list(leases_of(tmp_path, "one").fresh()) != []
