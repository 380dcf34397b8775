"""One worker at its work: it takes shards while there are any, and leaves what it has on the disk when told to stop.

A sampling worker is one replica of the model, loaded once. A judging worker runs hidden tests of shards that are
sampled. Neither knows how its job came about; supervisor.py does. A worker may have a model server of its own, which is
started before its dialogues, asked whether it is up, and ended with the worker.
"""

import asyncio
import os
import secrets
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.judgement import read_judgement_file
from turnwise.records.problem import Problem
from turnwise.records.run_folder import RunFolder, Shard
from turnwise.records.settings import JudgeSettings
from turnwise.runners.judging_step import judge_shard, record_of_judge
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.runners.sampling import Job, Sampling
from turnwise.runners.work import Work
from turnwise.slurm.claims import Claims, Heartbeat, Leases, Owner
from turnwise.slurm.events import CLAIM, EventLog, read_events
from turnwise.slurm.queue import job_state
from turnwise.slurm.shards import order_for
from turnwise.slurm.signals import Stop
from turnwise.slurm.submission import JUDGE, SAMPLE, Submission

START_SECONDS = 1800.0
_POLL_SECONDS = 0.5
_END_SECONDS = 10.0


def sample_shards(job: Job, machine: Machine, submission: Submission, owner: Owner, *, slot: int, stop: Stop) -> None:
    """Sample shards of ``submission`` until none is left to take, or ``stop`` says so.

    Raises TurnwiseError if this machine, its data or the model is not that of the frozen run.
    """
    folder = RunFolder(submission.cluster.run)
    events = EventLog(submission.cluster.events(owner.worker))
    with closing(events), Work(folder, job.to_record(machine), machine, step=SAMPLE, judgements={}) as work:
        leases = _open_leases(submission, owner, SAMPLE, slot, events, is_ready=lambda _: True)
        sampling = Sampling(job, work, judge_hidden=False, on_commit=leases.done)
        try:
            asyncio.run(_until_stopped(_sample(sampling, leases), stop))
        finally:
            leases.stop()


def judge_shards(
    tasks: Sequence[LoadedTask],
    judge: JudgeSettings,
    machine: Machine,
    submission: Submission,
    owner: Owner,
    *,
    slot: int,
    stop: Stop,
) -> None:
    """Judge by ``judge`` the hidden tests of shards that are sampled until none is left, or ``stop`` says so."""
    folder = RunFolder(submission.cluster.run)
    events = EventLog(submission.cluster.events(owner.worker))
    record = record_of_judge(folder, machine, judge)
    with closing(events), Work(folder, record, machine, step=JUDGE, judgements={}) as work:

        def is_sampled(shard: Shard) -> bool:
            return folder.shard_file(shard).exists()

        leases = _open_leases(submission, owner, JUDGE, slot, events, is_ready=is_sampled)
        try:
            asyncio.run(_until_stopped(_judge(folder, tasks, work, leases), stop))
        finally:
            leases.stop()


def _open_leases(
    submission: Submission,
    owner: Owner,
    step: str,
    slot: int,
    events: EventLog,
    *,
    is_ready: Callable[[Shard], bool],
) -> Leases:
    heartbeat = Heartbeat(submission.cluster.heartbeat(owner.worker))
    heartbeat.beat()
    shards = submission.shards if step == SAMPLE else RunFolder(submission.cluster.run).shards
    order = list(order_for(slot, shards, workers=submission.record.workers))
    claims = Claims(submission.cluster.claims(step), owner.worker)
    leases = Leases(claims, order, owner, heartbeat=heartbeat, events=events, is_ready=is_ready, job_state=job_state)
    past = read_events(submission.cluster.events(owner.worker))
    leases.take_back({(one.task, one.shard) for one in past if one.event == CLAIM and one.shard is not None})
    return leases


async def _sample(sampling: Sampling, leases: Leases) -> None:
    try:
        await sampling.carry(leases.fresh(), dialogues=0)
        while (shard := leases.suspect()) is not None:
            await sampling.carry([shard], dialogues=len(shard.keys))
    finally:
        await sampling.close()


async def _judge(folder: RunFolder, tasks: Sequence[LoadedTask], work: Work, leases: Leases) -> None:
    problems = {loaded.task.name: {problem.id: problem for problem in loaded.asked} for loaded in tasks}
    for shard in leases.fresh():
        await _judge_one(folder, shard, problems[shard.task], work, leases)
    while (suspect := leases.suspect()) is not None:
        await _judge_one(folder, suspect, problems[suspect.task], work, leases)


async def _judge_one(
    folder: RunFolder, shard: Shard, problems: Mapping[str, Problem], work: Work, leases: Leases
) -> None:
    for worker in leases.earlier_owners(shard):
        work.know(read_judgement_file(folder.verdicts(worker)))
    unjudged = work.unjudged
    await judge_shard(folder, shard, problems, work)
    if work.unjudged == unjudged:
        work.sync()
        leases.done(shard)


async def _until_stopped(work: Coroutine[object, object, None], stop: Stop) -> None:
    """Await ``work``; once ``stop`` says so it is cancelled, which closes its logs."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    stop.tell(lambda: loop.call_soon_threadsafe(task.cancel))
    try:
        await task
    except asyncio.CancelledError:
        if not stop.reason:
            raise


@contextmanager
def serve(command: str, *, model: str, seconds: float = START_SECONDS) -> Iterator[str]:
    """Yield the base URL of a server that ``command`` starts, with {model} and {port} filled in.

    Raises InfrastructureError if it ends or does not answer within ``seconds``, TurnwiseError for a command
    that cannot be started.
    """
    port = _free_port()
    try:
        words = [word.format(model=model, port=port) for word in shlex.split(command)]
        process = subprocess.Popen(words, start_new_session=True)  # its output goes to the job's log
    except (OSError, ValueError, LookupError) as error:
        raise TurnwiseError(
            f"The server command {command!r} cannot be started ({error}): mend 'server' in the profile."
        ) from None
    try:
        base_url = f"http://127.0.0.1:{port}/v1"
        _wait_until_up(process, base_url, seconds)
        yield base_url
    finally:
        _end(process)


def _wait_until_up(process: "subprocess.Popen[bytes]", base_url: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not _answers(base_url):
        if process.poll() is not None:
            raise InfrastructureError(f"The model's server ended with {process.returncode}: see the lines above.")
        if time.monotonic() > end:
            raise InfrastructureError(f"The model's server did not answer within {seconds:.0f} s: see the lines above.")
        time.sleep(_POLL_SECONDS)


def _answers(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/models", timeout=5.0) as reply:
            return bool(reply.status == 200)
    except urllib.error.HTTPError:
        return False
    except OSError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server with all it started; TERM is blocked in a job, so it is asked by INT."""
    for number, seconds in ((signal.SIGINT, _END_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)


def _free_port() -> int:
    """Return a free port, outside the range that the kernel hands out, so that two jobs of a node seldom meet."""
    for _ in range(100):
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise InfrastructureError("No port is free on this node.")
