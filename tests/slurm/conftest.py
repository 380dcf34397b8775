"""A virtual cluster for the tests that need one; it is started once for all of them."""

import os
from collections.abc import Iterator

import pytest
from virtual_cluster import VirtualCluster, missing_programs


@pytest.fixture(scope="session")
def cluster() -> Iterator[VirtualCluster]:
    """A running cluster of four nodes."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"SLURM is not installed here ({', '.join(missing)} missing): see CONTRIBUTING.md")
    with VirtualCluster() as one:
        yield one


@pytest.fixture(autouse=True)
def _no_job_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
