"""How far a run on many nodes is, and what its jobs took, from its files, and from SLURM where it answers.

The bill is GPU-hours by how each attempt at a job ended. Billed is what SLURM's accounting says of every attempt (sacct
-D), or the workers' own starts and stops where there is none, or none of GPUs (which a cluster counts only if its
AccountingStorageTRES names them). Wasted is what came to no dialogue: the time in which a later attempt loads what an
earlier one had, and attempts that never took a shard.

What became of a job that was told to end its batch script says, in a file of that job, a line "<restarts> <word>" per
attempt; of a job that ended by itself nothing is said:

    requeued     SLURM runs it again, of itself or as the script asked it to
    cancelled    SLURM ends it and does not run it again: scancel, a time limit without a warning
    refused      it was preempted or warned, but SLURM does not requeue it
    unanswered   SLURM did not say
"""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from turnwise.files import files_inside, read_whole
from turnwise.records.run_folder import RunFolder, Shard
from turnwise.slurm.claims import Claim, Claims, Ended, ShardState
from turnwise.slurm.events import CLAIM, CRASH, FAILED, START, STOP, Event, read_events
from turnwise.slurm.queue import PREEMPTED, QueuedJob, ask, known_jobs
from turnwise.slurm.submission import JUDGE, SAMPLE, ClusterFolder, Submission

LOST = "lost without a word"
# Where neither the batch script nor a later attempt says more.
_ENDS = {"SIGUSR2": "warned of its end", "SIGTERM": "told to end", "SIGINT": "told to end"}
REQUEUED = "requeued"
_LARGEST = 2**20  # bytes of what batch scripts said of one job
# Attempts after which the job does not come back, in words.
STAYED_AWAY = {
    "cancelled": "cancelled",
    "refused": "not requeued, since SLURM refused",
    "unanswered": "not requeued, since SLURM did not answer",
}
STATES = ("done", "running", "waiting", "poison")
_BAD_NODE_CRASHES = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a worker's job: seconds from its start to its end, and to the first shard it took."""

    worker: str
    job: str
    node: str
    gpus: int
    number: int
    seconds: float
    idle_seconds: float
    cause: str

    @property
    def wasted_seconds(self) -> float:
        """The seconds that came to no dialogue, of a later attempt or of one that took no shard."""
        return self.idle_seconds if self.number or self.idle_seconds >= self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Bill:
    """GPU-hours by cause, and whether SLURM's accounting says so or the workers do."""

    billed: Mapping[str, float]
    wasted: Mapping[str, float]
    is_accounted: bool


class JobAttempt(NamedTuple):
    """One attempt at a job: its id, with the element of an array, and how often SLURM had restarted it."""

    job: str
    restarts: int


def read_attempts(cluster: ClusterFolder, now: float) -> Iterator[Attempt]:
    """Yield the attempts of all workers as their logs and their batch scripts tell them."""
    ends = read_ends(cluster)
    for path in cluster.logs():
        lives: list[list[Event]] = []
        for event in read_events(path):
            if event.event == START:
                lives.append([])
            if lives:
                lives[-1].append(event)
        for number, life in enumerate(lives):
            later = lives[number + 1][0] if number + 1 < len(lives) else None
            yield _attempt(cluster, path, life, number, later=later, ends=ends, now=now)


def _attempt(
    cluster: ClusterFolder,
    path: Path,
    life: Sequence[Event],
    number: int,
    *,
    later: Event | None,
    ends: Mapping[JobAttempt, str],
    now: float,
) -> Attempt:
    start, last = life[0], life[-1]
    end = last.time
    cause = _cause(life, later, ends.get(JobAttempt(start.job, start.restarts), ""))
    if cause == LOST and later is None:
        try:
            end = max(end, cluster.heartbeat(path.stem).stat().st_mtime)
        except OSError:
            end = max(end, path.stat().st_mtime)
        if now - end < 60:
            end, cause = now, "running"
    claimed = next((event.time for event in life if event.event == CLAIM), end)
    begun = start.time
    return Attempt(
        path.stem,
        start.job,
        start.node,
        start.gpus,
        number,
        end - begun,
        claimed - begun,
        cause,
    )


def _cause(life: Sequence[Event], later: Event | None, word: str) -> str:
    """Return how an attempt ended: ``word`` is its batch script's, ``later`` the start of the next one."""
    start, last = life[0], life[-1]
    told = last.told if last.event == STOP and last.status else ""
    failed = [event.event for event in life if event.event in (CRASH, FAILED)]
    if failed and last.event == STOP and last.status and not told:
        return failed[-1]
    is_again = later is not None and later.job == start.job
    if word == REQUEUED or (told and is_again):
        return REQUEUED
    if word:
        return STAYED_AWAY[word]
    if last.event != STOP:
        return LOST
    return _ENDS.get(told, "ended")


def read_ends(cluster: ClusterFolder) -> Mapping[JobAttempt, str]:
    """Return the words by attempt; what is torn is left out."""
    found: dict[JobAttempt, str] = {}
    with suppress(FileNotFoundError, NotADirectoryError):
        for path in files_inside(cluster.ends, ending=""):
            for line in read_whole(path, limit=_LARGEST, follow=False).decode("utf-8", "replace").splitlines():
                restarts, _, word = line.partition(" ")
                if re.fullmatch("[0-9]{1,9}", restarts) and (word in STAYED_AWAY or word == REQUEUED):
                    found[JobAttempt(path.name, int(restarts))] = word
    return found


def make_bill(attempts: Sequence[Attempt], jobs: Sequence[str]) -> Bill:
    """Return the GPU-hours of ``attempts``, or of ``jobs`` (without elements) as SLURM accounts for them."""
    billed: dict[str, float] = defaultdict(float)
    wasted: dict[str, float] = defaultdict(float)
    for attempt in attempts:
        billed[attempt.cause] += attempt.gpus * attempt.seconds / 3600
        earlier = (attempt.worker, attempt.number - 1)
        before = next((other.cause for other in attempts if (other.worker, other.number) == earlier), "")
        wasted[f"after: {before}" if before else attempt.cause] += attempt.gpus * attempt.wasted_seconds / 3600
    accounted = _ask_accounting(jobs, has_gpus=any(attempt.gpus for attempt in attempts))
    return Bill(accounted or dict(billed), {cause: hours for cause, hours in wasted.items() if hours}, bool(accounted))


def _ask_accounting(jobs: Sequence[str], *, has_gpus: bool) -> dict[str, float]:
    """Return GPU-hours by the state in which each attempt ended, empty without accounting of what the jobs had."""
    found: dict[str, float] = defaultdict(float)
    if not jobs:
        return {}
    said = ask("sacct", "-X", "-D", "-P", "-n", "-j", ",".join(jobs), "-o", "State,ElapsedRaw,AllocTRES")
    knows_gpus = False
    for line in (said or "").splitlines():
        state, seconds, resources = (line.split("|") + [""] * 3)[:3]
        gpus = _gpus_in(resources)
        knows_gpus = knows_gpus or gpus is not None
        if seconds.isdigit():
            found[state.split(" ")[0]] += (gpus or 0) * int(seconds) / 3600
    return dict(found) if knows_gpus or not has_gpus else {}


def _gpus_in(resources: str) -> int | None:
    """Return the GPUs of ``cpu=8,gres/gpu=2``, or of their kinds (``gres/gpu:h100=2``) alone; None if none is named."""
    pairs = [part.split("=", 1) for part in resources.split(",") if "=" in part]
    counts = {name: int(count) for name, count in pairs if name.startswith("gres/gpu") and count.isdigit()}
    return counts.get("gres/gpu", sum(counts.values()) if counts else None)


@dataclass(frozen=True, slots=True)
class JobsStatus:
    """What became of the jobs of all submissions at one moment, whatever their work is.

    ``jobs`` are those that are pending or running, None where SLURM does not answer; ``preempted`` counts those that it
    ended for others, and does not run again, as far as it remembers.
    """

    jobs: Sequence[QueuedJob] | None
    preempted: int
    attempts: Sequence[Attempt]
    bill: Bill
    errors: Sequence[Event]


def read_jobs(cluster: ClusterFolder) -> JobsStatus:
    """Return what became of the jobs of a folder's submissions."""
    submissions = [Submission(cluster, number) for number in cluster.submissions()]
    attempts = list(read_attempts(cluster, time.time()))
    known = _ask_jobs(submissions)
    return JobsStatus(
        None if known is None else [job for job in known if not job.has_ended],
        sum(job.state == PREEMPTED for job in known or ()),
        attempts,
        make_bill(attempts, [job for submission in submissions for job in submission.jobs.ids]),
        _errors(cluster),
    )


@dataclass(frozen=True, slots=True)
class Status:
    """A run at one moment; ``shards`` counts by step and state, ``dialogues`` (done, all) those sampled.

    ``preempted`` are as in JobsStatus.
    """

    shards: Mapping[str, Mapping[str, int]]
    dialogues: tuple[int, int]
    per_hour: float
    jobs: Sequence[QueuedJob] | None
    preempted: int
    attempts: Sequence[Attempt]
    bill: Bill
    poison: Sequence[str]
    errors: Sequence[Event]
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
    cluster = ClusterFolder(folder.path)
    states = {step: _states(folder, cluster, step) for step in (SAMPLE, JUDGE)}
    shards = {step: Counter(_name_state(state) for state in of_step.values()) for step, of_step in states.items()}
    done = [shard for shard in folder.shards if states[SAMPLE][shard.task, shard.number].is_done]
    found = read_jobs(cluster)
    return Status(
        shards,
        (sum(len(shard.keys) for shard in done), sum(len(shard.keys) for shard in folder.shards)),
        _rate(found.attempts, sum(len(shard.keys) for shard in done)),
        found.jobs,
        found.preempted,
        found.attempts,
        found.bill,
        _poison(folder, cluster, states),
        found.errors,
        _bad_nodes(found.errors),
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


def _errors(cluster: ClusterFolder) -> list[Event]:
    """Return the crashes and failures of all workers, latest last."""
    found = []
    for path in cluster.logs():
        for event in read_events(path):
            if event.event in (CRASH, FAILED):
                found.append(replace(event, worker=path.stem))
    return sorted(found, key=lambda event: event.time)


def _bad_nodes(errors: Sequence[Event]) -> list[str]:
    """Return the nodes where workers crashed over three distinct shards or more."""
    by_node: dict[str, set[str]] = {}
    for event in errors:
        for shard in event.shards:
            by_node.setdefault(event.node, set()).add(str(shard))
    return sorted(node for node, shards in by_node.items() if node and len(shards) >= _BAD_NODE_CRASHES)
