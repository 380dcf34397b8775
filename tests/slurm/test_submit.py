"""Submitting: what is frozen, what is printed, what a cluster refuses, without a cluster."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cluster_run import ANSWERS, ClusterRun, assert_equal_runs, environment_of
from virtual_cluster import wait_for

import turnwise
from turnwise.commands.inputs import named_inputs, with_inputs
from turnwise.commands.options import SubmitOptions
from turnwise.commands.worker import check_copies, work_on
from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
from turnwise.records.run_folder import Shard
from turnwise.slurm.cluster import RefusedError, script_text, submit_jobs
from turnwise.slurm.freeze import are_sources_whole, code_digest, freeze_code, freeze_inputs, is_whole_input
from turnwise.slurm.jobs import JobTask
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.shards import longest_first, order_for
from turnwise.slurm.signals import NeverStop
from turnwise.slurm.status import JobAttempt, read_ends
from turnwise.slurm.submission import Array, ClusterFolder, Jobs, Submission, SubmissionRecord, freeze_submission


def submission_of(folder: Path, workers: int) -> Submission:
    """Return a submission of no shards."""
    record = SubmissionRecord(
        options={}, profile=ClusterProfile(), code="0", folder="/", workers=workers, submitted=0.0
    )
    return freeze_submission(ClusterFolder(folder), record, [])


BUNDLED_PROMPTS = Path(__file__).resolve().parents[2] / "tasks" / "prompts" / "turnwise-2"


class FakeCluster:
    """Accepts at most ``room`` jobs, and says no to what is more."""

    def __init__(self, room: int, *, releases: bool = True) -> None:
        self.room = room
        self.releases = releases
        self.submitted: list[tuple[str, int, int, str]] = []
        self.cancelled: list[str] = []
        self.released: list[str] = []

    def submit(self, submission: Submission, task: JobTask, count: int, dependency: str) -> str:
        """Take a job or refuse it."""
        if count > self.room:
            raise RefusedError("Job violates accounting/QOS policy")
        self.room -= count
        self.submitted.append((task.step, task.first, count, dependency))
        return str(len(self.submitted))

    def cancel(self, jobs: Sequence[str]) -> None:
        """Take jobs back, and have their room."""
        assert not self.released
        self.cancelled += jobs
        self.room += sum(self.submitted[int(job) - 1][2] for job in jobs)

    def release(self, jobs: Sequence[str]) -> bool:
        """Let jobs begin."""
        self.released += jobs
        return self.releases

    def left(self) -> list[tuple[str, int, int, str]]:
        """Return what was not taken back."""
        return [one for number, one in enumerate(self.submitted, 1) if str(number) not in self.cancelled]


def test_arrays_are_paired_and_one_job_closes_the_run(tmp_path: Path) -> None:
    """Of five workers in arrays of two, each judge waits for its sampler, and the closing job for all."""
    cluster = FakeCluster(100)
    accepted = submit_jobs(submission_of(tmp_path, 5), cluster, largest=2)
    assert cluster.submitted == [
        ("sample", 0, 2, ""),
        ("judge", 0, 2, "aftercorr:1"),
        ("sample", 2, 2, ""),
        ("judge", 2, 2, "aftercorr:3"),
        ("sample", 4, 1, ""),
        ("judge", 4, 1, "aftercorr:5"),
        ("close", 0, 1, "afterany:1:3:5:2:4:6"),
    ]
    assert accepted.refusals == () and cluster.released == ["1", "3", "5"]


@pytest.mark.parametrize(("room", "largest", "samplers"), [(7, 1001, [3]), (6, 1001, [2]), (7, 2, [2, 1]), (3, 4, [1])])
def test_what_a_cluster_refuses_is_said_and_fewer_workers_do_the_run(
    tmp_path: Path, room: int, largest: int, samplers: list[int]
) -> None:
    """Each with its judge, and the closing job; what is left of the jobs is written down, and begins at the end."""
    cluster = FakeCluster(room)
    submission = submission_of(tmp_path, 8)
    accepted = submit_jobs(submission, cluster, largest=largest)
    counts = {step: [count for name, _, count, _ in cluster.left() if name == step] for step in ("sample", "judge")}
    assert counts == {"sample": samplers, "judge": samplers}
    assert cluster.left()[-1][0] == "close"
    assert any("are more than SLURM accepts" in one for one in accepted.refusals)
    assert submission.jobs == accepted.jobs
    assert cluster.released == [one.job for one in accepted.jobs.sample]


def test_without_room_for_a_closing_job_the_run_is_closed_by_hand(tmp_path: Path) -> None:
    """One worker and its judge are the least."""
    accepted = submit_jobs(submission_of(tmp_path, 1), FakeCluster(2), largest=4)
    assert len(accepted.jobs.ids) == 2 and "run turnwise collect" in accepted.refusals[-1]


def test_an_interrupt_takes_back_what_was_accepted(tmp_path: Path) -> None:
    """Else it would stay held."""

    class Interrupted(FakeCluster):
        def submit(self, submission: Submission, task: JobTask, count: int, dependency: str) -> str:
            if task.step == "close":
                raise KeyboardInterrupt
            return super().submit(submission, task, count, dependency)

    cluster, submission = Interrupted(100), submission_of(tmp_path, 4)
    with pytest.raises(KeyboardInterrupt):
        submit_jobs(submission, cluster, largest=2)
    assert cluster.left() == [] and submission.jobs.ids == []


def test_jobs_that_stay_held_are_named(tmp_path: Path) -> None:
    """With the command that lets them begin."""
    accepted = submit_jobs(submission_of(tmp_path, 2), FakeCluster(9, releases=False), largest=1)
    assert accepted.refusals == ("the sampling jobs are held: scontrol release 1,3",)


def test_a_cluster_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    """The reason is SLURM's."""
    with pytest.raises(TurnwiseError, match="Job violates accounting"):
        submit_jobs(submission_of(tmp_path, 2), FakeCluster(0), largest=10)


def test_each_submission_has_a_number_of_its_own(tmp_path: Path) -> None:
    """An older one is never changed."""
    assert [submission_of(tmp_path, 1).number for _ in range(3)] == [1, 2, 3]


def test_the_code_is_frozen_once_and_runs_from_its_copy(tmp_path: Path) -> None:
    """The copy has no links, and Python takes it before what is installed."""
    code = freeze_code(tmp_path)
    assert freeze_code(tmp_path) == code == tmp_path / code_digest()
    assert not any(path.is_symlink() for path in code.rglob("*"))
    said = subprocess.run(
        [sys.executable, "-c", "import turnwise.slurm.worker as one; print(one.__file__)"],
        env={**os.environ, "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith(str(code))


@pytest.mark.parametrize("suffix", [".py", ".pyc", ".yaml"])
@pytest.mark.parametrize("is_cut", [True, False], ids=["cut", "gone"])
def test_damaged_code_is_frozen_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, is_cut: bool
) -> None:
    """A power cut may leave files empty; what another Python compiles there later is no damage."""
    package, folder = tmp_path / "turnwise", tmp_path / "code"
    package.mkdir()
    for name in ("__init__.py", "worker.py", "data.yaml"):
        (package / name).write_text("1\n")
    monkeypatch.setattr(turnwise, "__file__", str(package / "__init__.py"))
    code = freeze_code(folder)
    (code / "turnwise" / "__pycache__" / "worker.another.pyc").write_bytes(b"")
    inode = code.stat().st_ino
    assert freeze_code(folder).stat().st_ino == inode
    damaged = next(path for path in sorted(code.rglob(f"*{suffix}")) if path.stat().st_size)
    before = damaged.read_bytes()
    if is_cut:
        damaged.write_bytes(b"")
    else:
        damaged.unlink()
    assert freeze_code(folder) == code and damaged.read_bytes() == before
    assert list(folder.iterdir()) == [code]


class Disk:
    """What of a folder would be there after a power cut: what was synced, under the names that were synced."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.synced: set[Path] = set()
        self.renamed_early: list[Path] = []
        fsync, rename = os.fsync, Path.rename

        def record_fsync(descriptor: int) -> None:
            fsync(descriptor)
            self.synced.add(Path(f"/proc/self/fd/{descriptor}").readlink())

        def record_rename(path: Path, target: Path) -> Path:
            inside = {path, *path.rglob("*")}
            self.renamed_early += sorted(inside - self.synced)
            self.synced = {target / one.relative_to(path) if one in inside else one for one in self.synced}
            self.synced.discard(target.parent)
            return rename(path, target)

        monkeypatch.setattr(os, "fsync", record_fsync)
        monkeypatch.setattr(Path, "rename", record_rename)
        monkeypatch.setattr(Path, "replace", record_rename)

    def lacks(self, folder: Path) -> list[Path]:
        """Return what of ``folder`` is not on the disk."""
        return sorted({folder, *folder.rglob("*")} - self.synced)


def test_what_is_frozen_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file and folder of code, inputs and submission, and then the names themselves, up to the run's folder."""
    package, prompts, strategy = tmp_path / "turnwise", tmp_path / "prompts", tmp_path / "own.yaml"
    for folder in (package, prompts / "feedback"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("1\n")
    strategy.write_text("turns: []\n")
    monkeypatch.setattr(turnwise, "__file__", str(package / "__init__.py"))
    cluster = ClusterFolder(tmp_path / "run")
    disk = Disk(monkeypatch)
    freeze_code(cluster.code)
    freeze_inputs(cluster.inputs, {"prompts": prompts, "strategy": strategy})
    assert disk.renamed_early == []
    for folder in (cluster.code, cluster.inputs):
        assert len(list(folder.rglob("*"))) >= 5 and disk.lacks(folder) == []
    submission_of(cluster.run, 1)
    assert disk.lacks(cluster.run) == [cluster.ends]  # empty, and made anew by the next submission
    assert disk.renamed_early == []


def test_what_the_options_name_is_frozen_once_and_told_by_its_digest(tmp_path: Path) -> None:
    """Files and folders keep their names; what is damaged is copied anew, what is too large stays where it is."""
    prompts, programs = tmp_path / "mine", tmp_path / "wrong.jsonl"
    (prompts / "feedback").mkdir(parents=True)
    (prompts / "feedback" / "a.j2").write_text("A")
    (prompts / ".#a.j2").symlink_to("nowhere")  # as editors leave them
    programs.write_bytes(b"x" * 1000)
    options = SubmitOptions(
        model=BackEndName.REPLAY,
        model_args="path=answers.jsonl,model=a*",
        tasks="t",
        output_path=tmp_path,
        metadata='{"strategy": "own.yaml"}',
        prompts=prompts,
        incorrect_programs=programs,
    )
    paths = named_inputs(options)
    assert set(paths) == {"prompts", "incorrect_programs", "strategy", "answers"}
    kept = {name: paths[name] for name in ("prompts", "incorrect_programs")}
    frozen = freeze_inputs(tmp_path / "inputs", kept, most_bytes=999)
    assert set(frozen) == {"prompts"} and Path(frozen["prompts"]).name == "mine"
    copy = tmp_path / "inputs" / frozen["prompts"]
    (copy / "feedback" / "a.j2").write_text("")
    assert not is_whole_input(copy)
    assert freeze_inputs(tmp_path / "inputs", kept, most_bytes=999) == frozen and is_whole_input(copy)
    moved = with_inputs(options, {name: Path("/frozen") / name for name in paths})
    assert (moved.prompts, moved.model_args) == (Path("/frozen/prompts"), "path=/frozen/answers,model=a*")
    assert json.loads(moved.metadata) == {"strategy": "/frozen/strategy"}
    assert with_inputs(replace(options, strategy="own.yaml"), {"strategy": Path("/f")}).strategy == "/f"
    own = replace(options, answers=str(tmp_path / "mine"), prompts=Path("turnwise-1"))
    assert set(named_inputs(own)) == {"incorrect_programs", "strategy", "answers", "checkers"}
    assert with_inputs(own, {"checkers": Path("/frozen/mine")}).answers == "/frozen/mine"
    assert "checkers" not in named_inputs(replace(options, answers="checkers-1"))


@pytest.mark.parametrize("kind", ["code", "strategy"])
def test_a_worker_reads_no_damaged_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Neither of the code it runs nor of what the options name: cut by a byte, as by a power cut."""
    package, strategy = tmp_path / "turnwise", tmp_path / "own.yaml"
    package.mkdir()
    (package / "__init__.py").write_text("x = 10\n")
    strategy.write_text("turns: []\n")
    monkeypatch.setattr(turnwise, "__file__", str(package / "__init__.py"))
    cluster = ClusterFolder(tmp_path / "run")
    code, inputs = freeze_code(cluster.code), freeze_inputs(cluster.inputs, {"strategy": strategy})
    record = replace(submission_of(cluster.run, 1).record, code=code.name, inputs=inputs)
    submission = freeze_submission(cluster, record, [])
    monkeypatch.setattr(turnwise, "__file__", str(code / "turnwise" / "__init__.py"))
    check_copies(submission)
    damaged = code / "turnwise" / "__init__.py" if kind == "code" else submission.inputs()["strategy"]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(TurnwiseError, match=r"frozen copy .* is damaged: turnwise resume"):
        work_on(cluster.run, submission.number, "sample", 0, stop=NeverStop(), environ={})


@pytest.mark.long
def test_damaged_copies_are_noticed_where_they_are_read(tmp_path: Path, cache_dir: Path) -> None:
    """Of all that the options name, and of the code: the worker ends with one sentence, and ``resume`` mends them."""
    names = ("prompts", "own.yaml", "wrong.jsonl", "answers.jsonl")
    prompts, strategy, programs, answers = (tmp_path / name for name in names)
    shutil.copytree(BUNDLED_PROMPTS, prompts)
    strategy.write_text("turns:\n  - instruction: none\n  - feedback: random\n")
    rows = [{"task_id": f"sample_mbpp_plus/Sample/{number}", "program": "x = 1"} for number in (101, 102)]
    programs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shutil.copyfile(ANSWERS, answers)
    run = ClusterRun(tmp_path / "of", environment_of(cache_dir))
    options = ["-M", "replay", "-a", f"path={answers}", "-t", "sample_mbpp_plus_multiturn", "--limit", "2"]
    options += ["--prompts", str(prompts), "--strategy", str(strategy), "--incorrect_programs", str(programs)]
    options += ["--workers", "1", "--cluster", "debug", "-o", str(run.output)]
    done = run.command("submit", *options)
    assert done.returncode == 0, done.stderr
    submission = Submission(ClusterFolder(run.output), 1)
    code, copies = submission.code(), submission.inputs()
    assert set(copies) == {"prompts", "incorrect_programs", "strategy", "answers"}
    for copy in copies.values():
        damaged = copy if copy.is_file() else copy / "statement.j2"
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:-1])
        with pytest.raises(TurnwiseError, match=f"The frozen copy '{copy}' is damaged"):
            work_on(run.output, 1, "sample", 0, stop=NeverStop(), environ={})
        damaged.write_bytes(whole)
    for damaged in (code / "turnwise" / "tasks" / "feedback.py", copies["prompts"] / "statement.j2"):
        damaged.write_bytes(damaged.read_bytes()[:-1])
        worker = ["worker", str(run.output), "--submission", "1", "--step", "judge", "--slot", "0"]
        said = run.command(*worker, PYTHONPATH=str(code))
        assert said.returncode == 2 and "is damaged: turnwise resume" in said.stderr, said.stderr
        assert said.stderr.count("\n") == 1
    next(run.output.glob("trajectories/*/*.jsonl")).unlink()
    resumed = run.command("resume", str(run.output))
    assert resumed.returncode == 0, resumed.stderr
    assert are_sources_whole(code) and is_whole_input(copies["prompts"])


def test_the_longest_shards_come_first_and_each_worker_begins_elsewhere() -> None:
    """All workers look at all shards, in orders that meet late."""
    shards = [Shard("task", number, ((f"p{number}", 0),)) for number in range(7)]
    longest = longest_first(shards, {f"p{number}": number for number in range(7)})
    assert [shard.number for shard in longest] == [6, 5, 4, 3, 2, 1, 0]
    orders = [[shard.number for shard in order_for(slot, longest, workers=3)] for slot in range(3)]
    assert all(sorted(order) == list(range(7)) for order in orders)
    assert [order[0] for order in orders] == [6, 5, 4]


def test_a_script_that_is_told_to_end_makes_no_long_pause(tmp_path: Path) -> None:
    """SLURM's TERM may end scontrol before the shell hears of it, which then has the few seconds of KillWait."""
    cluster, asked = ClusterFolder(tmp_path / "run"), tmp_path / "asked"
    cluster.ends.mkdir(parents=True)
    again = f"[[ -e {asked} ]] || {{ touch {asked}; exit 1; }}; echo ' JobState=COMPLETING '"
    for name, lines in (("srun", "exit 75"), ("scontrol", again)):
        (tmp_path / name).write_text(f"#!/bin/bash\n{lines}\n")
        (tmp_path / name).chmod(0o755)
    script = tmp_path / "script"
    script.write_text(script_text(ClusterProfile(), "sample", tmp_path, cluster=cluster, code=tmp_path, count=None))
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "7"}
    job = subprocess.Popen(["bash", str(script)], env=environment, start_new_session=True)
    wait_for(asked.exists, 30, "the question")
    time.sleep(0.5)
    job.terminate()
    with suppress(subprocess.TimeoutExpired):
        job.wait(timeout=3.5)
    with suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGKILL)
    job.wait()
    assert read_ends(cluster) == {JobAttempt("7", 0): "cancelled"}


def test_a_dry_run_needs_no_slurm_and_writes_nothing(tmp_path: Path, cache_dir: Path) -> None:
    """Every script is printed, with a PATH that holds no command of SLURM's."""
    bare = tmp_path / "bin"
    bare.mkdir()
    run = ClusterRun(tmp_path / "of", {**environment_of(cache_dir), "PATH": str(bare)})
    before = sorted(run.folder.rglob("*"))
    done = run.submit("--dry-run", workers=3)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("#SBATCH --array=0-2%3") == 2 and "afterany" in done.stdout
    assert "Shards: 14 to do of 14, 14 dialogues." in done.stdout and "GPU-hours: about" in done.stdout
    assert sorted(run.folder.rglob("*")) == sorted([*before, run.folder / "profile.yaml"])


def test_submitting_without_slurm_says_what_to_do(tmp_path: Path, cache_dir: Path) -> None:
    """One sentence, before anything is written."""
    bare = tmp_path / "bin"
    bare.mkdir()
    run = ClusterRun(tmp_path / "of", {**environment_of(cache_dir), "PATH": str(bare)})
    done = run.submit()
    assert done.returncode == 2 and "--cluster local" in done.stderr and not run.output.exists()


def test_a_queue_that_does_not_answer_is_not_empty(tmp_path: Path, cache_dir: Path) -> None:
    """A run that has jobs is not submitted again, here neither, until SLURM says that they are gone."""
    (tmp_path / "bin").mkdir()
    squeue = tmp_path / "bin" / "squeue"
    squeue.write_text("#!/bin/sh\necho 'slurm_load_jobs error: Unable to contact slurm controller' >&2\nexit 1\n")
    squeue.chmod(0o755)
    path = f"{squeue.parent}:{os.environ['PATH']}"
    run = ClusterRun(tmp_path / "of", {**environment_of(cache_dir), "PATH": path})
    submission_of(run.output, 1).write_jobs(Jobs((Array("7", 0, 1),), (Array("8", 0, 1),), "9"))
    done = run.submit("--cluster", "local")
    assert done.returncode == 2 and "SLURM does not say whether jobs of" in done.stderr and "--force" in done.stderr
    assert not (run.output / "run.json").exists()


def test_a_job_that_nobody_wrote_down_is_one_that_is_there(tmp_path: Path, cache_dir: Path) -> None:
    """As a submission leaves that is killed between SLURM's answer and its own note of it: no second one begins."""
    run = ClusterRun(tmp_path / "of", environment_of(cache_dir))
    script = submission_of(run.output, 1).path / "jobs" / "sample" / "submission_file_1.sh"
    script.parent.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    squeue = tmp_path / "bin" / "squeue"
    squeue.write_text(f"#!/bin/sh\necho '7|0-1%2|PENDING|JobHeldUser||{script}'\n")
    squeue.chmod(0o755)
    path = f"{squeue.parent}:{os.environ['PATH']}"
    done = run.command("submit", *run.options, "--cluster", "local", PATH=path)
    assert done.returncode == 2 and "1 jobs of" in done.stderr and "are still there" in done.stderr, done.stderr
    assert not (run.output / "run.json").exists()


@pytest.mark.slow
def test_a_pool_on_one_machine_does_the_same(tmp_path: Path, cache_dir: Path) -> None:
    """``--cluster local``: two processes, each shard once, the files of one process; stdout holds tables alone."""
    run = ClusterRun(tmp_path, environment_of(cache_dir))
    done = run.submit("--cluster", "local")
    assert done.returncode == 0, done.stderr
    assert set(run.calls().values()) == {1}
    assert "expected outputs" in done.stderr and done.stdout == run.command("collect", str(run.output)).stdout
    assert_equal_runs(run.output, run.on_one_machine())
    status = run.command("status", str(run.output)).stdout
    assert "Sampling: 14 done, 0 running, 0 waiting, 0 poison of 14 shards." in status


@pytest.mark.slow
def test_a_pool_that_is_interrupted_goes_on_with_resume(tmp_path: Path, cache_dir: Path) -> None:
    """Ctrl-C ends the workers with what they have; exit status 130, and no call that was answered is made again."""
    run = ClusterRun(tmp_path, environment_of(cache_dir), delay=0.3)
    pool = run.start_local()
    wait_for(lambda: run.committed() >= 2, 60, "the first shards")
    pool.send_signal(signal.SIGINT)
    _, said = pool.communicate()
    assert pool.returncode == 130 and "turnwise resume" in said and "Traceback" not in said
    assert run.committed() < 14
    assert run.command("resume", str(run.output)).returncode == 0
    assert run.repeated_calls() <= 8  # those in flight
    assert_equal_runs(run.output, run.on_one_machine())


@pytest.mark.slow
def test_a_run_that_is_not_complete_says_what_it_lacks(tmp_path: Path, cache_dir: Path) -> None:
    """Exit status 3 and the shards, after the table of what is there; another setting in its folder is refused."""
    run = ClusterRun(tmp_path, environment_of(cache_dir))
    assert run.submit("--cluster", "debug").returncode == 0
    lost = next(run.output.glob("trajectories/*/00003.jsonl"))
    shutil.move(lost, tmp_path / "lost")
    done = run.command("collect", str(run.output))
    assert done.returncode == 3 and "1 shards not sampled" in done.stderr and "1@1" in done.stdout
    other = run.submit("--cluster", "debug", "--seed", "1")
    assert other.returncode == 2 and "holds another run" in other.stderr
    assert "Shards: 1 to do of 14, 1 dialogues." in run.submit("--dry-run").stdout
    assert run.command("resume", str(run.output)).returncode == 0
    assert lost.read_bytes() == (tmp_path / "lost").read_bytes()


@pytest.mark.slow
def test_missing_dialogues_are_a_gap(tmp_path: Path, cache_dir: Path) -> None:
    """A request that failed leaves its run incomplete: exit status 3, said by collect as by the dry run."""
    answers = tmp_path / "answers.jsonl"
    lines = ANSWERS.read_text(encoding="utf-8").splitlines(keepends=True)
    answers.write_text("".join(line for line in lines if "Sample/101" not in line))
    output = tmp_path / "run"
    options = ["-M", "replay", "-a", f"path={answers}", "-t", "sample_mbpp_plus_multiturn", "--workers", "1"]
    options += ["--cluster", "debug", "-o", str(output)]
    run = ClusterRun(tmp_path, environment_of(cache_dir))
    first = run.command("submit", *options)
    assert first.returncode == 3 and "1 dialogues are missing, since requests" in first.stderr, first.stderr
    assert "1 of 3 dialogues are missing" in first.stdout and (output / "site" / "index.html").exists()
    assert "Shards: 1 to do of 1" in run.command("submit", *options, "--cluster", "slurm", "--dry-run").stdout
    assert run.command("resume", str(output)).returncode == 3  # it has no more answers


@pytest.mark.slow
def test_a_dry_run_plans_what_a_submission_would_do(tmp_path: Path, cache_dir: Path) -> None:
    """Nothing of a finished run; what is sampled and not judged; another run is refused as it would be."""
    run = ClusterRun(tmp_path, environment_of(cache_dir))
    assert run.submit("--cluster", "debug").returncode == 0
    finished = run.submit("--dry-run")
    assert (
        finished.returncode == 0 and "Shards: none to do of 14" in finished.stdout and "#SBATCH" not in finished.stdout
    )
    for path in run.output.glob("cluster/claims/judge/*/00001.*"):
        path.unlink()
    unjudged = run.submit("--dry-run")
    assert "Shards: 2 to do of 14, 2 dialogues." in unjudged.stdout and "judge 1: 2 workers" in unjudged.stdout
    other = run.submit("--dry-run", "--seed", "1")
    assert other.returncode == 2 and "holds another run (settings seed: 0 there, 1 here)" in other.stderr


@pytest.mark.parametrize("command", ["status", "cancel", "resume", "collect"])
def test_a_run_that_was_never_submitted_is_named(command: str, tmp_path: Path, cache_dir: Path) -> None:
    """One sentence, exit status 2; a folder that is no run is told apart."""
    run = ClusterRun(tmp_path, environment_of(cache_dir))
    done = run.command(command, str(tmp_path))
    assert done.returncode == 2 and "is no run folder" in done.stderr
    (tmp_path / "run.json").write_text("{}")
    done = run.command(command, str(tmp_path))
    assert done.returncode == 2 and "was never submitted" in done.stderr
    assert not (tmp_path / "merged").exists() and not (tmp_path / "site").exists()


@pytest.mark.long
def test_a_thousand_nodes_and_330000_dialogues(tmp_path: Path) -> None:
    """5,600 shards on 1,000 workers: each taken once, some tens of operations a second, merged in under 500 MB."""
    script = Path(__file__).with_name("scale.py")
    done = subprocess.run([sys.executable, str(script), str(tmp_path / "run")], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found["dialogues"] == 330_000 and found["peak_megabytes"] < 500
    assert found["operations_per_second_mean"] < 100


def test_a_thousand_nodes_need_few_operations(tmp_path: Path) -> None:
    """In small: leases of 20 workers over 100 shards, each taken once; merging keeps one shard in memory."""
    script = Path(__file__).with_name("scale.py")
    command = [sys.executable, str(script), str(tmp_path / "run"), "--workers", "20", "--samples", "10"]
    done = subprocess.run([*command, "--shards", "100"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["dialogues"] == 1650 and found["peak_megabytes"] < 200
    assert found["operations_per_second_mean"] < 5
