"""Fixtures for the tests inside lm_eval: its environment, and its executable in a folder of its own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lm_eval_runs import EXECUTABLE, Done, command

LmEval = Callable[..., Done]


@pytest.fixture(scope="session")
def environment(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of lm_eval: no hub, no PYTHONPATH, no settings of ours, caches of the test."""
    if not EXECUTABLE.exists():
        pytest.skip("lm_eval is not installed: pip install 'turnwise[lm-eval]'")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TURNWISE", "HF_"))}
    home = tmp_path_factory.mktemp("hub")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "LM_HARNESS_CACHE_PATH": str(home / "requests")}
    return {**kept, **offline, "TURNWISE_CACHE": str(cache_dir), "CUDA_VISIBLE_DEVICES": "", "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="session")
def lm_eval(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> LmEval:
    """lm_eval(arguments..., server=, metadata=, model_args=, cwd=) runs the executable and returns what came of it."""

    def run(*arguments: str, cwd: Path | None = None, **options: Any) -> Done:
        folder = cwd or tmp_path_factory.mktemp("lm_eval")
        process = subprocess.run(
            command(*arguments, **options), capture_output=True, text=True, cwd=folder, env=environment, check=False
        )
        return Done(process, folder / "out")

    return run
