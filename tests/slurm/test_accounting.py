"""What SLURM's accounting says and refuses, on a real slurmdbd."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from accounting_cluster import AccountingCluster, missing_accounting_programs
from cluster_run import ClusterRun, assert_equal_runs, environment_of, wait_for_end

pytestmark = [pytest.mark.slurm, pytest.mark.long, pytest.mark.xdist_group("slurm")]

SUBMIT_JOBS = 5


@pytest.fixture(scope="module")
def accounting_cluster() -> Iterator[AccountingCluster]:
    """A cluster whose user may have five jobs at a time."""
    missing = missing_accounting_programs()
    if missing:
        pytest.skip(f"SLURM's accounting is not installed here ({', '.join(missing)} missing)")
    with AccountingCluster(submit_jobs=SUBMIT_JOBS) as one:
        yield one


def test_more_jobs_than_allowed_are_reported_and_fewer_do_the_run(
    accounting_cluster: AccountingCluster, tmp_path: Path, cache_dir: Path
) -> None:
    """Eleven are wanted, five are allowed: two workers, their judges and the closing job do the whole run.

    GPU-hours are those that SLURM bills.
    """
    run = ClusterRun(tmp_path, environment_of(cache_dir, accounting_cluster.environment), delay=1.0)
    planned = run.submit("--dry-run", workers=5, gpus=2)
    assert f"MaxSubmitJobs is {SUBMIT_JOBS}, but 11 jobs are wanted" in planned.stdout + planned.stderr
    done = run.submit(workers=5, gpus=2)
    assert done.returncode == 0, done.stderr
    assert "2 sampling workers" in done.stdout and "5 workers are more than SLURM accepts" in done.stdout
    assert "AssocMaxSubmitJobLimit" in done.stdout
    wait_for_end(accounting_cluster)
    assert_equal_runs(run.output, run.on_one_machine())
    said = run.command("status", str(run.output)).stdout
    assert "by SLURM's accounting" in said and "GPU-hours billed: 0.00" not in said
