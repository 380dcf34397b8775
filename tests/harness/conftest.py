"""Fixtures for the tests inside lm_eval: its environment, and its executable in a folder of its own."""

import importlib.util
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lm_eval_runs import EXECUTABLE, Done, command

LmEval = Callable[..., Done]


@pytest.fixture(scope="session")
def bare_environment(cache_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of lm_eval as it is installed: no hub, no PYTHONPATH, no settings of ours, caches of the test."""
    if not EXECUTABLE.exists():
        pytest.skip("lm_eval is not installed: pip install 'turnwise[lm-eval]'")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TURNWISE", "HF_"))}
    home = tmp_path_factory.mktemp("hub")
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "LM_HARNESS_CACHE_PATH": str(home / "requests")}
    return {**kept, **offline, "TURNWISE_CACHE": str(cache_dir), "CUDA_VISIBLE_DEVICES": "", "NO_PROXY": "127.0.0.1"}


@pytest.fixture(scope="session")
def environment(bare_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same, with lm_eval in a folder of its own as an editable installation has it, and without its 13,000 tasks.

    Reading those takes most of the time of a small run.
    """
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None and spec.submodule_search_locations is not None
    folder = tmp_path_factory.mktemp("editable")
    (folder / "lm_eval" / "tasks").mkdir(parents=True)
    for path in Path(spec.submodule_search_locations[0]).iterdir():
        for one in path.glob("*.py") if path.name == "tasks" else [path] if path.name != "__pycache__" else []:
            (folder / "lm_eval" / one.relative_to(path.parent)).symlink_to(one)
    return {**bare_environment, "PYTHONPATH": str(folder)}


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
