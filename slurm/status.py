"""How far a run on many nodes is, from its files, and from SLURM where it answers."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnwise.records.run_folder import RunFolder, Shard
from turnwise.slurm.bill import Attempt, Bill, make_bill, read_attempts
from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.events import CRASH, FAILED, read_events
from turnwise.slurm.queue import PREEMPTED, QueuedJob, known_jobs
from turnwise.slurm.submission import JUDGE, SAMPLE, ClusterFolder, Submission

STATES = ("done", "running", "waiting", "poison")
_BAD_NODE_CRASHES = 3


@dataclass(frozen=True, slots=True)
class Status:
    """A run at one moment; ``shards`` counts by step and state, ``dialogues`` (done, all) those sampled.

    ``preempted`` are the jobs that SLURM ended for others, and does not run again, as far as it remembers.
    """

    shards: Mapping[str, Mapping[str, int]]
    dialogues: tuple[int, int]
    per_hour: float
    jobs: Sequence[QueuedJob] | None
    preempted: int
    attempts: Sequence[Attempt]
    bill: Bill
    poison: Sequence[str]
    errors: Sequence[Mapping[str, Any]]
    bad_nodes: Sequence[str]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def shards_left(self) -> int:
        """How many shards are not sampled and judged."""
        return max(counts.total() - counts["done"] for counts in map(Counter, self.shards.values()))

    @property
    def hours_left(self) -> float | None:
        """Hours until all dialogues are sampled at the rate so far; None where none is known."""
        done, total = self.dialogues
        return (total - done) / self.per_hour if self.per_hour else None


def read_status(folder: RunFolder) -> Status:
    """Return the status of a run; raises TurnwiseError if its folder is none."""
    cluster, now = ClusterFolder(folder.path), time.time()
    submissions = [Submission(cluster, number) for number in cluster.submissions()]
    states = {step: _states(folder, cluster, step) for step in (SAMPLE, JUDGE)}
    shards = {step: Counter(_name_state(state) for state in of_step.values()) for step, of_step in states.items()}
    done = [shard for shard in folder.shards if states[SAMPLE][shard.task, shard.number].is_done]
    attempts = list(read_attempts(cluster, now))
    ids = [job for submission in submissions for job in submission.jobs.ids]
    errors = _errors(cluster)
    known = _ask_jobs(submissions)
    return Status(
        shards,
        (sum(len(shard.keys) for shard in done), sum(len(shard.keys) for shard in folder.shards)),
        _rate(attempts, sum(len(shard.keys) for shard in done)),
        None if known is None else [job for job in known if not job.has_ended],
        sum(job.state == PREEMPTED for job in known or ()),
        attempts,
        make_bill(attempts, ids),
        _poison(folder, cluster, states),
        errors,
        _bad_nodes(errors),
    )


def jobs_left(submissions: Sequence[Submission]) -> list[QueuedJob] | None:
    """Return the jobs of ``submissions`` that are pending or running; None if SLURM does not tell."""
    found = _ask_jobs(submissions)
    return None if found is None else [job for job in found if not job.has_ended]


def _ask_jobs(submissions: Sequence[Submission]) -> list[QueuedJob] | None:
    """Return the jobs of ``submissions`` that SLURM knows, those that it accepted unseen too; None if it does not tell.

    A process that is killed between a job's acceptance and writing that down leaves such a job, held or not.
    """
    by_owner: dict[int, list[Submission]] = {}
    for submission in submissions:
        by_owner.setdefault(submission.owner, []).append(submission)
    found: list[QueuedJob] = []
    for owner, made in by_owner.items():
        ids = [job for submission in made for job in submission.jobs.ids]
        known = known_jobs(ids, [folder for submission in made for folder in submission.scripts()], owner)
        if known is None:
            return None
        found += known
    return found


def _states(folder: RunFolder, cluster: ClusterFolder, step: str) -> dict[tuple[str, int], ShardState]:
    claims = Claims(cluster.claims(step), "")
    known = {task.task: claims.states(task.task) for task in folder.record.tasks}
    return {(shard.task, shard.number): known[shard.task].get(shard.number, ShardState()) for shard in folder.shards}


def _name_state(state: ShardState) -> str:
    if state.is_poison:
        return "poison"
    return "done" if state.is_done else "running" if state.is_open else "waiting"


def _rate(attempts: Sequence[Attempt], dialogues: int) -> float:
    """Return the dialogues an hour of sampling, by the time that its workers had."""
    sampling = [one for one in attempts if f"-{SAMPLE}-" in one.worker]
    hours = sum(one.seconds for one in sampling) / 3600
    running = sum(one.cause == "running" for one in sampling) or len({one.worker for one in sampling})
    return dialogues / hours * running if hours else 0.0


def _poison(
    folder: RunFolder, cluster: ClusterFolder, states: Mapping[str, Mapping[tuple[str, int], ShardState]]
) -> list[str]:
    """Return a line for each shard that is left out, with the problem it may be about."""
    found = []
    for step, of_step in states.items():
        claims = Claims(cluster.claims(step), "")
        for shard in folder.shards:
            state = of_step[shard.task, shard.number]
            if state.is_poison:
                found.append(
                    f"{shard.task}/{shard.name} ({step}): crashed {state.crashes} times, {_where(claims, shard, state)}"
                )
    return found


def _where(claims: Claims, shard: Shard, state: ShardState) -> str:
    crashed = [number for number, how in state.attempts.items() if how is Ended.CRASHED]
    nodes = {str(claims.owner(Claim(shard, number)).get("node", "?")) for number in crashed}
    problems = list(dict.fromkeys(problem for problem, _ in shard.keys))
    return f"on {', '.join(sorted(nodes))}; problems {', '.join(problems[:3])}{' ...' if len(problems) > 3 else ''}"


def _errors(cluster: ClusterFolder) -> list[dict[str, Any]]:
    """Return the crashes and failures of all workers, latest last."""
    found = []
    for path in cluster.logs():
        for event in read_events(path):
            if event["event"] in (CRASH, FAILED):
                found.append({**event, "worker": path.stem})
    return sorted(found, key=lambda event: float(event["time"]))


def _bad_nodes(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the nodes where workers crashed over three distinct shards or more."""
    by_node: dict[str, set[str]] = {}
    for event in errors:
        for shard in event.get("shards", ()):
            by_node.setdefault(str(event.get("node", "")), set()).add(str(shard))
    return sorted(node for node, shards in by_node.items() if node and len(shards) >= _BAD_NODE_CRASHES)
