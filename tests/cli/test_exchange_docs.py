"""The commands of docs/exchange.md print what it shows."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exchange.md"
_VARYING = re.compile(r"CPython [\d.]+, (no numpy|numpy [\d.]+)|\(sha256 [0-9a-f]{12}\)(?=, tests)")


def _commands() -> list[tuple[str, str]]:
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    parts = [part for block in blocks for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]]
    return [(command, shown) for command, _, shown in (part.partition("\n") for part in parts)]


@pytest.mark.slow
def test_the_page_shows_what_the_commands_print(tmp_path: Path, cache_dir: Path) -> None:
    """All of them, one after the other in one folder; the one that is refused prints its sentence."""
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    python = shlex.quote(sys.executable)
    commands = _commands()
    assert len(commands) == 12
    for command, shown in commands:
        words = re.sub(r"^turnwise ", f"{python} -m turnwise ", command)
        done = subprocess.run(
            words, shell=True, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
        )
        said = done.stdout if done.returncode == 0 else done.stderr
        assert _VARYING.sub("", said).strip() == _VARYING.sub("", shown).strip(), command
