"""Fixtures shared by all tests: where the full data lie, an executor, a place for computed outputs."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Executor

_REPOSITORY = Path(__file__).resolve().parent.parent


def _find_data() -> Path | None:
    given = os.environ.get("TURNWISE_TEST_DATA")
    path = Path(given) if given else _REPOSITORY.parent / "shared" / "data"
    return path if path.is_dir() else None


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TURNWISE_DATA", "HUMANEVAL_OVERRIDE_PATH", "MBPP_OVERRIDE_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Let tests that send it be heard where it is ignored, as in the background (``nohup make test &``)."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real problems and recorded answers; tests marked ``data`` skip where it is not."""
    path = _find_data()
    if path is None:
        pytest.skip("the full data are not here: set TURNWISE_TEST_DATA to their folder")
    return path


@pytest.fixture(scope="session")
def executor() -> Iterator[Executor]:
    """One hardened executor for the whole session."""
    with closing(HardenedExecutor()) as one:
        yield one


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where computed expected outputs are kept, shared by the worker processes of one test run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "turnwise-cache"
