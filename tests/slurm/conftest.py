"""A virtual cluster for the tests that need one; it is started once for all of them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster_run import ClusterRun, Start, environment_of
from virtual_cluster import VirtualCluster, require_slurm


@pytest.fixture(scope="session")
def cluster() -> Iterator[VirtualCluster]:
    """A running cluster of four nodes."""
    require_slurm()
    with VirtualCluster() as one:
        yield one


@pytest.fixture
def start(cluster: VirtualCluster, tmp_path: Path, cache_dir: Path) -> Iterator[Start]:
    """Return a function that makes a run on the cluster; its jobs are ended with the test."""

    def make(**options: Any) -> ClusterRun:
        return ClusterRun(tmp_path, environment_of(cache_dir, cluster.environment), **options)

    yield make
    cluster.cancel_all()


@pytest.fixture(autouse=True)
def _no_job_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
