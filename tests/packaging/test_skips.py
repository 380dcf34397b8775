"""In CI a test skips for the reasons that tests/conftest.py names, and for no other."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
SKIPPING = """
import pytest

def test_named():
    pytest.skip("nobody cannot read the interpreter")

def test_unnamed():
    pytest.skip("no such data")

@pytest.mark.skipif(True, reason="no such package")
def test_marked():
    pass

def test_without_data(full_dir):
    pass
"""


@pytest.mark.parametrize(("is_ci", "skipped"), [(True, 1), (False, 4)])
def test_a_skip_that_nobody_named_fails_in_ci(tmp_path: Path, is_ci: bool, skipped: int) -> None:
    """Elsewhere it stays a skip; missing data are one."""
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    environ = {**os.environ, "PYTHONPATH": str(TESTS), "CI": str(is_ci).lower(), "TURNWISE_TEST_FULL": "nowhere"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert f"{skipped} skipped" in done.stdout and done.returncode == int(is_ci), done.stdout
