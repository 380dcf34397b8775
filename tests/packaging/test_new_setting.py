"""A setting is added in one place: its field in records/settings.py, and all that hands settings on knows it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FIELD = "    stop: tuple[str, ...] = by_gen_kwargs("
ADDED = "    frequency_penalty: float | None = by_gen_kwargs(None, is_new=True, ge=-2, le=2)\n"
REQUEST = """
from turnwise.commands.settings import build_settings
from turnwise.runners.models.openai.model import _request_options
from turnwise.runners.models.openai.server import Server
from turnwise.runners.models.vllm import _sampling_fields
from turnwise.tasks.catalog import find_tasks
options = {"profile": "default", "metadata": "", "samples": "", "tasks": find_tasks("taco_multiturn"), "given": {}}
sampling = build_settings(gen_kwargs="frequency_penalty=0.5", **options).settings.sampling
server = Server("http://host/v1", "m", "key")
print(_request_options(server, sampling)["frequency_penalty"], _sampling_fields(sampling)["frequency_penalty"])
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one line more."""
    folder = tmp_path_factory.mktemp("changed")
    shutil.copytree(ROOT / "turnwise", folder / "turnwise", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    settings = folder / "turnwise" / "records" / "settings.py"
    text = settings.read_text(encoding="utf-8")
    assert text.count(FIELD) == 1
    settings.write_text(text.replace(FIELD, ADDED + FIELD), encoding="utf-8")
    return folder


def _run(changed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(changed)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, cwd=changed)


def test_a_setting_of_one_line_goes_from_the_option_to_the_table(changed: Path) -> None:
    """Into run.json and beside the scores; one that it cannot be is refused with its bounds."""
    answers = ROOT / "benchmarks" / "sample" / "answers" / "steady.jsonl"
    line = ["-m", "turnwise", "run", "-M", "replay", "-a", f"path={answers}", "-t", "sample_mbpp_plus_singleturn"]
    done = _run(changed, *line, "-o", "run", "--gen_kwargs", "frequency_penalty=0.5")
    assert done.returncode == 0, done.stderr
    assert "frequency_penalty 0.5" in done.stdout
    assert json.loads((changed / "run" / "run.json").read_text())["settings"]["sampling"]["frequency_penalty"] == 0.5
    again = _run(changed, *line, "-o", "run")
    assert "sampling" in again.stderr and again.returncode == 2
    refused = _run(changed, *line, "-o", "other", "--gen_kwargs", "frequency_penalty=3")
    assert "--gen_kwargs frequency_penalty is '3': it has to be less than or equal to 2" in refused.stderr


def test_a_setting_of_one_line_reaches_the_model(changed: Path) -> None:
    """It stands in the requests to a server and in what vLLM's engine is told."""
    done = _run(changed, "-c", REQUEST)
    assert done.stdout.split() == ["0.5", "0.5"], done.stderr
