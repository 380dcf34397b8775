"""The hostile programs as an ordinary user, where the tests themselves run as root."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tiers import TIERS

ROOT = Path(__file__).resolve().parents[3]
USER = "nobody"


def _as_user(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    user = pwd.getpwnam(USER)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command,
        user=user.pw_uid,
        group=user.pw_gid,
        extra_groups=[],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the user's own, not below tmp_path, which pytest keeps from other users."""
    if os.geteuid() != 0:
        pytest.skip("needs root to become another user; the other tests already run as an ordinary one")
    with tempfile.TemporaryDirectory() as name:
        shutil.chown(name, USER)
        try:
            done = _as_user(sys.executable, "-c", "import pytest, turnwise.runners", folder=Path(name))
        except PermissionError as error:
            pytest.skip(f"{USER} cannot start the interpreter: {error}")
        if done.returncode:
            pytest.skip(f"{USER} cannot read {sys.executable} or {ROOT}: {done.stderr.strip().splitlines()[-1]}")
        yield Path(name)


@pytest.mark.long
@pytest.mark.parametrize("tier", TIERS)
def test_hostile_programs_get_their_verdicts_as_an_ordinary_user(tier: str, folder: Path) -> None:
    """Every program in every tier, with the canaries, without any privilege to give up."""
    arguments = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "long or not long",
        "-k",
        f"{tier}-",
        f"--basetemp={folder}/base",
    ]
    tests = "tests/runners/test_hostile_programs.py"
    done = _as_user(sys.executable, "-m", "pytest", *arguments, tests, folder=folder)
    print(done.stdout[-3000:], done.stderr[-1000:])
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) > 400
