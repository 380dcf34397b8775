"""The definitions that lm_eval reads: one a task, all of one form, groups of ours only; made when it asks for them."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from turnwise.errors import TurnwiseError
from turnwise.harness.definitions import SHARED, definitions, definitions_folder, write_definitions
from turnwise.tasks.catalog import TASKS

LEVELS = ("easy", "medium", "medium_hard", "hard", "very_hard")
STEMS = (
    *("codecontests", "codecontests_valid", *(f"taco_{level}" for level in LEVELS), "humaneval_plus", "mbpp_plus"),
    *("sample_codecontests", "sample_taco", "sample_humaneval_plus", "sample_mbpp_plus"),
)
MEANS = {
    "multiturn": ("pass@1", "pass@10", "pass@100", "1@3", "10@100", "no_code", "missing"),
    "singleturn": ("pass@1", "pass@10", "pass@100", "1@1", "no_code", "missing"),
}
# What lm_eval 0.4.12 loads, from whatever folder; version 1 of each.
GROUPS: dict[str, dict[str, Any]] = {
    f"taco_{twin}": {
        "task": [f"taco_{level}_{twin}" for level in LEVELS],
        "aggregate_metric_list": [{"metric": one, "aggregation": "mean", "weight_by_size": True} for one in means],
    }
    for twin, means in MEANS.items()
} | {
    "turnwise": {
        "task": ["codecontests_multiturn", "taco_multiturn", "humaneval_plus_multiturn", "mbpp_plus_multiturn"]
    },
}
TOY = '{"name": "a", "statement": "s", "public_tests": [{"input": "", "output": ""}], "hidden_tests": []}\n'


def _loaded_by_lm_eval(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what lm_eval makes of the definitions in a folder, by their names."""
    pytest.importorskip("lm_eval")
    from lm_eval.tasks import TaskManager

    index = TaskManager(include_path=str(folder), include_defaults=False).task_index
    return {name: {**entry.cfg, "kind": entry.kind.name} for name, entry in index.items()}


def test_lm_eval_loads_what_it_always_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task with its class, output type, sampling and version; all of TACO as the group of its difficulties."""
    monkeypatch.setenv("TURNWISE_CACHE", str(tmp_path))
    loaded = _loaded_by_lm_eval(write_definitions())
    shared = {**yaml.safe_load(SHARED.replace("!function ", "")), "kind": "PY_TASK"}
    tasks = [f"{stem}_{twin}" for stem in STEMS for twin in MEANS]
    known = {name for name, task in TASKS.items() if not task.is_training}
    assert {*loaded} == {*tasks, *GROUPS} and known == {*tasks, "taco_multiturn", "taco_singleturn"}
    for name in tasks:
        config = loaded[name]
        assert config.pop("class").endswith("/turnwise.harness.task.MultiTurnTask")
        assert {**config, "class": shared["class"]} == {**shared, "task": name, "dataset_name": name}
    for name, group in GROUPS.items():
        assert loaded[name] == {"group": name, **group, "metadata": {"version": 1}, "kind": "GROUP"}


def test_the_folder_is_written_once_and_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named after what it holds; a definition that was damaged is written anew, others are left alone."""
    monkeypatch.setenv("TURNWISE_CACHE", str(tmp_path))
    folder = write_definitions()
    assert {path.name: path.read_text() for path in folder.iterdir()} == definitions()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    (folder / "turnwise.yaml").write_text("")
    assert write_definitions() == folder and (folder / "turnwise.yaml").read_text() == definitions()["turnwise.yaml"]
    changed = [path.name for path, time in before.items() if path.stat().st_mtime_ns != time]
    assert changed == ["turnwise.yaml"]
    (tmp_path / "toy.jsonl").write_text(TOY)
    own = write_definitions(str(tmp_path / "toy.jsonl"))
    assert own != folder and {path.name for path in own.iterdir()} == {
        *("_turnwise", "toy_multiturn.yaml", "toy_singleturn.yaml")
    }


def test_without_a_cache_the_hook_makes_a_folder_for_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And removes it again; ``tasks-path``, whose folder has to stay, says what to do."""
    (tmp_path / "file").write_text("")
    environment = {**os.environ, "TURNWISE_CACHE": str(tmp_path / "file"), "TMPDIR": str(tmp_path)}
    code = "from turnwise.harness.definitions import definitions_folder as f; print(len(list(f().iterdir())), f())"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    count, folder = done.stdout.split()
    assert int(count) == len(definitions()) and folder.startswith(str(tmp_path)) and not Path(folder).exists()
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    done = subprocess.run(
        [sys.executable, "-m", "turnwise", "tasks-path"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "set TURNWISE_CACHE to a folder that can be written" in done.stderr


def test_the_folder_can_be_asked_for(tmp_path: Path) -> None:
    """For lm_eval --include_path, which with the hook switched off finds the tasks there, a user's own included."""
    environment = {**os.environ, "TURNWISE_CACHE": str(tmp_path), "TURNWISE_NO_LM_EVAL_HOOK": "1"}
    (tmp_path / "toy.jsonl").write_text(TOY)
    for arguments, name in (((), "taco_multiturn"), (("--benchmark", "toy.jsonl"), "toy_singleturn")):
        line = [sys.executable, "-m", "turnwise", "tasks-path", *arguments]
        done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        loaded = _loaded_by_lm_eval(Path(done.stdout.strip()))
        assert name in loaded
    assert loaded["toy_singleturn"]["dataset_kwargs"] == {"benchmark": str(tmp_path / "toy.jsonl")}


def test_a_benchmark_of_the_users_own_is_a_task_of_lm_eval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the folder that tasks-path makes for its file; an installed one by its name, and loaded then alone."""
    pytest.importorskip("lm_eval")
    from lm_eval.tasks import TaskManager

    monkeypatch.setenv("TURNWISE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "toy.jsonl").write_text(
        TOY.replace('"hidden_tests": []', '"hidden_tests": [{"input": "", "output": ""}]')
    )
    package = tmp_path / "site" / "of_a_test-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: of-a-test\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[turnwise.benchmarks]\nother = of_a_test:made\n")
    source = "from turnwise.benchmarks.own import find_benchmarks\nfrom dataclasses import replace\n"
    source += f"made = replace(find_benchmarks({str(tmp_path / 'toy.jsonl')!r})['toy'], name='other')\n"
    (package.parent / "of_a_test.py").write_text(source)
    monkeypatch.syspath_prepend(package.parent)
    for own, name in ((str(tmp_path / "toy.jsonl"), "toy"), ("", "other")):
        manager = TaskManager(include_path=str(write_definitions(own)), include_defaults=False)
        assert f"{name}_multiturn" in manager.all_subtasks and "of_a_test" not in sys.modules
        task = manager.load([f"{name}_singleturn"])["tasks"][f"{name}_singleturn"]
        assert [doc["problem"] for doc in task.test_docs()] == [f"{name}/a"]
    assert "of_a_test" in sys.modules


def test_training_tasks_are_none_of_lm_evals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither built-in ones nor those of a benchmark of the user's own; a definition that names one is refused."""
    pytest.importorskip("lm_eval")
    from turnwise.harness.task import MultiTurnTask

    assert not any("train" in name for name in definitions())
    (tmp_path / "toy_train.jsonl").write_text(TOY)
    with pytest.raises(TurnwiseError, match=r"toy_train.jsonl' has training tasks alone, which lm_eval is not given"):
        write_definitions(str(tmp_path / "toy_train.jsonl"))
    own = {"benchmark": str(tmp_path / "toy_train.jsonl")}
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    for name, kept in (("taco_train_multiturn", {}), ("toy_train_singleturn", own)):
        with pytest.raises(TurnwiseError, match=f"The task '{name}' is for training"):
            MultiTurnTask({"task": "mine", "dataset_name": name, "dataset_kwargs": kept})


def test_no_python_lies_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """lm_eval would load a second copy of it."""
    monkeypatch.setenv("TURNWISE_CACHE", str(tmp_path))
    definitions_folder.cache_clear()
    assert not list(definitions_folder().glob("**/*.py"))
    definitions_folder.cache_clear()
