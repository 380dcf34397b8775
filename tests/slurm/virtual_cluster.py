"""A real SLURM cluster on one machine, for tests: virtual nodes with fake GPUs, from Debian's packages.

    apt-get install --no-install-recommends slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge

    with VirtualCluster() as cluster:
        subprocess.run(["sinfo"], env=cluster.environment)

All files lie in one folder of its own and all ports are free ones, so that clusters do not meet. A node can be
lost as in a power cut, and come back. Every process is ended with the cluster. Keeps no accounts: accounting_cluster.py
does.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "srun", "scancel")
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

_CONFIGURATION = """\
ClusterName=virtual
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd-%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_min_interval=100000,batch_sched_delay=0,default_queue_depth=1000
PriorityType=priority/basic
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
{preemption}
SlurmdParameters=config_overrides
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=5
InactiveLimit=0
KillWait=5
MinJobAge=300
OverTimeLimit=0
CompleteWait=0
JobRequeue=1
MaxArraySize={max_array}
MaxJobCount={max_jobs}
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
NodeName=node[1-{nodes}] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first_port}-{last_port}] CPUs={cpus} \
Boards=1 SocketsPerBoard=1 CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory={memory} Gres=gpu:fake:{gpus} State=UNKNOWN
PartitionName=gpu Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=10 PriorityTier=10 PreemptMode=OFF State=UP
PartitionName=low Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=1 PreemptMode=REQUEUE GraceTime=20 State=UP
PartitionName=low0 Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=1 PreemptMode=REQUEUE GraceTime=0 State=UP
PartitionName=low60 Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=1 PreemptMode=REQUEUE GraceTime=60 State=UP
PartitionName=doomed Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=1 PreemptMode=CANCEL GraceTime=20 State=UP
PartitionName=doomed0 Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=1 PreemptMode=CANCEL GraceTime=0 State=UP
PartitionName=high Nodes=ALL MaxTime=INFINITE DefaultTime=10 PriorityTier=100 PreemptMode=OFF State=UP
PartitionName=short Nodes=ALL MaxTime=30 DefaultTime=10 PriorityTier=10 PreemptMode=OFF State=UP
"""


def missing_programs() -> list[str]:
    """Return what of SLURM is not installed here."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


def require_slurm() -> None:
    """Skip the test where SLURM is not installed."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"SLURM is not installed here ({', '.join(missing)} missing): see CONTRIBUTING.md")


class VirtualCluster:
    """Starts with ``with`` and is gone after it; ``environment`` is what its users need.

    Jobs of the partitions low (20 s of grace), low0 (none), low60, doomed (20 s, never requeued by SLURM) and doomed0
    (none, nor requeued) give way to those of high. With ``warns_preempted`` they are sent their warning (USR2) at the
    beginning of the grace time, without, as on sites that leave it at its default, TERM.
    """

    def __init__(
        self,
        *,
        nodes: int = 4,
        cpus: int = 4,
        gpus: int = 2,
        memory: int = 4000,
        max_array: int = 1001,
        warns_preempted: bool = True,
    ) -> None:
        self.nodes = nodes
        self.folder = Path(tempfile.mkdtemp(prefix="vc", dir="/tmp"))  # a socket's path must be short
        base = free_ports(nodes + 1)
        self.host = socket.gethostname().partition(".")[0]
        self.configuration = _CONFIGURATION.format(
            host=self.host,
            user=user_name(),
            port=base,
            folder=self.folder,
            first_port=base + 1,
            last_port=base + nodes,
            nodes=nodes,
            cpus=cpus,
            memory=memory,
            gpus=gpus,
            max_array=max_array,
            max_jobs=10000,
            preemption="SlurmctldParameters=preempt_send_user_signal" if warns_preempted else "",
        )
        self._gpus = gpus
        self.environment: Mapping[str, str] = {
            **os.environ,
            "SLURM_CONF": str(self.folder / "etc" / "slurm.conf"),
            "PATH": SEARCHED,
        }

    def __enter__(self) -> Self:
        try:
            self._write()
            self._start_munge()
            self.start_controller()
            for number in range(1, self.nodes + 1):
                self.start_node(number)
            wait_for(lambda: self.idle_nodes() == self.nodes, 20, "the nodes to be up")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def run(self, *command: str, check: bool = True) -> str:
        """Run a command of SLURM; return what it prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def idle_nodes(self) -> int:
        """Return how many nodes can take jobs."""
        states = self.run("sinfo", "-h", "-N", "-p", "gpu", "-o", "%t", check=False).split()
        return sum(state in ("idle", "mix", "alloc") for state in states)

    def jobs(self) -> list[tuple[str, str, str, str]]:
        """Return (job, state, node, reason) of every job and array element that has not ended."""
        said = self.run("squeue", "-h", "-r", "-o", "%i|%T|%N|%r")
        return [
            (job, state, node, reason) for job, state, node, reason in (line.split("|") for line in said.splitlines())
        ]

    def release(self) -> None:
        """Let jobs that were requeued begin at once instead of after SLURM's two minutes."""
        for job, state, _, reason in self.jobs():
            if state == "PENDING" and reason == "BeginTime":
                self.run("scontrol", "update", f"JobId={job}", "StartTime=now", check=False)

    def start_controller(self) -> None:
        """Start slurmctld."""
        self._start("slurmctld", "-f", str(self.folder / "etc" / "slurm.conf"))

    def stop_controller(self) -> None:
        """End slurmctld; jobs go on."""
        end_process(self.pid("slurmctld.pid"), seconds=10)

    def start_node(self, number: int) -> None:
        """Start a node, or bring it back."""
        (self.folder / "spool" / f"node{number}").mkdir(exist_ok=True)
        self._start("slurmd", "-N", f"node{number}", "-f", str(self.folder / "etc" / "slurm.conf"))

    def cut_power(self, number: int) -> None:
        """Lose a node with all it runs, so that nobody can report anything."""
        daemon = self.pid(f"slurmd-node{number}.pid")
        steps = self._step_daemons(number)
        for pid in (daemon, *steps):
            _signal(pid, signal.SIGSTOP)
        doomed = [pid for step in steps for pid in (step, *_descendants(step))]
        for pid in (daemon, *doomed):
            _signal(pid, signal.SIGKILL)
        (self.folder / "run" / f"slurmd-node{number}.pid").unlink(missing_ok=True)
        shutil.rmtree(self.folder / "spool" / f"node{number}", ignore_errors=True)

    def cancel_all(self) -> None:
        """End all jobs."""
        self.run("scancel", "--me", check=False)
        wait_for(lambda: not self.jobs(), 30, "the jobs to end")

    def stop(self) -> None:
        """End every process of the cluster and remove its folder."""
        with suppress(RuntimeError, OSError, TimeoutError):
            if self.pid("slurmctld.pid"):
                self.cancel_all()
        steps = [pid for number in range(1, self.nodes + 1) for pid in self._step_daemons(number)]
        for pid in [child for step in steps for child in (step, *_descendants(step))]:
            _signal(pid, signal.SIGKILL)
        for number in range(1, self.nodes + 1):
            end_process(self.pid(f"slurmd-node{number}.pid"), seconds=3)
        self.stop_controller()
        end_process(self.pid("munged.pid"), seconds=3)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        for name in ("etc", "run", "log", "state", "spool", "dev", "munge"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        (self.folder / "munge").chmod(0o711)  # other users' jobs need its socket
        key = self.folder / "munge" / "key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        devices = [self.folder / "dev" / f"gpu{number}" for number in range(self._gpus)]
        for device in devices:
            device.touch()
        etc = self.folder / "etc"
        (etc / "slurm.conf").write_text(self.configuration)
        (etc / "gres.conf").write_text("".join(f"Name=gpu Type=fake File={device}\n" for device in devices))
        (etc / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")

    def _start_munge(self) -> None:
        munge, run = self.folder / "munge", self.folder / "run"
        self._start(
            "munged",
            "--force",
            f"--key-file={munge}/key",
            f"--socket={munge}/socket",
            f"--pid-file={run}/munged.pid",
            f"--log-file={munge}/log",
            f"--seed-file={munge}/seed",
            "--num-threads=2",
        )
        wait_for((munge / "socket").exists, 10, "munged")

    def _start(self, program: str, *arguments: str) -> None:
        path = shutil.which(program, path=SEARCHED)
        log = self.folder / "log" / f"{program}.err"
        with log.open("ab") as file:
            command = [str(path), *arguments]
            done = subprocess.run(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False
            )
        if done.returncode:
            raise RuntimeError(f"{program} does not start: {log.read_text()[-500:]}")

    def pid(self, name: str) -> int:
        """Return the process whose number is kept in a file of this name, 0 if there is none."""
        with suppress(OSError, ValueError):
            return int((self.folder / "run" / name).read_text())
        return 0

    def _step_daemons(self, number: int) -> list[int]:
        """Return the slurmstepd processes of a node: each keeps the node's log open."""
        log = str(self.folder / "log" / f"slurmd-node{number}.log")
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_step = (process / "comm").read_text().startswith("slurmstepd")
                if is_step and any(str(one.readlink()) == log for one in (process / "fd").iterdir()):
                    found.append(int(process.name))
        return found


def wait_for(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Wait until ``condition`` is true; raises TimeoutError naming ``what``.

    ``seconds`` is for a machine that does nothing else; a busy one has six times as long.
    """
    end = time.monotonic() + seconds * 6
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds * 6:g} s for {what}")
        time.sleep(0.1)


def user_name() -> str:
    """Return the name of who runs this, who is the user of SLURM too."""
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def free_ports(count: int) -> int:
    """Return the first of ``count`` consecutive ports that are free."""
    for _ in range(100):
        base = 20000 + secrets.randbelow(10000)
        with suppress(OSError):
            for port in range(base, base + count):
                with socket.socket() as one:
                    one.bind(("127.0.0.1", port))
            return base
    raise RuntimeError("no free ports")


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, front = [], [root]
    while front:
        front = [child for pid in front for child in children.get(pid, [])]
        found += front
    return found


def _signal(pid: int, number: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def end_process(pid: int, *, seconds: float) -> None:
    """End a daemon, by force if it does not go."""
    _signal(pid, signal.SIGTERM)
    end = time.monotonic() + seconds
    while pid and _runs(pid):
        if time.monotonic() > end:
            _signal(pid, signal.SIGKILL)
            return
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
