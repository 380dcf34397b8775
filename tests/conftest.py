"""Fixtures shared by all tests: where the full data lie, an executor, a place for computed outputs.

In CI (CI=true) nothing skips for want of what CI has to bring: missing data fail, and so does a test that skips for a
reason that ``SKIPS_IN_CI`` does not name.
"""

import os
import re
import signal
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from turnwise.runners.execution.hardened import HardenedExecutor
from turnwise.runners.execution.interface import Executor

_REPOSITORY = Path(__file__).resolve().parent.parent
SKIPS_IN_CI = (
    r"\w+ cannot (start the interpreter|read)",  # tests as another user, where root's own folders hold the interpreter
    r"this kernel's Landlock cannot refuse it",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test fail that skips in CI for a reason of which nobody said that it may."""
    report = yield
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(re.match(allowed, reason.removeprefix("Skipped: ")) for allowed in SKIPS_IN_CI):
            report.outcome, report.longrepr = "failed", f"{reason}: CI may not skip it (SKIPS_IN_CI in {__file__})"
    return report


def _find(variable: str, name: str) -> Path:
    """Return the folder that ``variable`` names, or ``name`` in the folder shared/ beside the checkout; else skip."""
    given = os.environ.get(variable)
    path = Path(given) if given else _REPOSITORY.parent / "shared" / name
    if not path.is_dir():
        pytest.skip(f"real data are not here: set {variable} to their folder")
    return path


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
    return _find("TURNWISE_TEST_DATA", "data")


@pytest.fixture(scope="session")
def full_dir() -> Path:
    """The folder of all problems of the public test sets, many without their tests."""
    return _find("TURNWISE_TEST_FULL", "full")


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
