"""The definitions that lm_eval reads, made of the catalogue: yaml files in the user's cache, one a task or group.

lm_eval reads definitions from folders alone. The folder's name is a digest of what it holds, so that versions of
turnwise do not meet in it, and what was damaged there is written anew.
"""

import atexit
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import yaml

from turnwise.benchmarks.benchmark import TWINS, Benchmark, Stem
from turnwise.benchmarks.own import find_benchmarks, installed_benchmarks, is_benchmark_file
from turnwise.errors import TurnwiseError
from turnwise.files import write_atomically
from turnwise.records.problem import TRAINING_SPLIT
from turnwise.runners.judging.expected import default_cache_dir

SHARED = """\
# What all tasks of turnwise share; the options of --metadata stand in docs/lm-eval.md.
class: !function turnwise.harness.task.MultiTurnTask
dataset_path: turnwise
test_split: test
output_type: generate_until
# Their defaults are 256 tokens, greedy, and a blank line as the end of an answer.
generation_kwargs:
  max_gen_toks: 4096
  temperature: 0.2
  top_p: 0.95
  until: []
metric_list: []
num_fewshot: 0
# The programs of the model run in turnwise's sandbox (docs/execution.md); the question stays yours to answer.
unsafe_code: true
metadata:
  version: 1
"""
_VERSION = {"version": 1}


def definitions(own: str = "") -> dict[str, str]:
    """Return the files by name: of the built-in benchmarks and installed ones, or of the user's ``own`` (--benchmark).

    An installed one is not loaded for that, so it has the tasks of its name here. Training tasks are none of lm_eval's:
    its globs would take them. Raises TurnwiseError for an ``own`` one that does not load, or has no other tasks.
    """
    found = find_benchmarks(own)
    benchmarks = [one for one in found.values() if bool(one.sha256) == bool(own)]
    path = str(Path(own).absolute()) if is_benchmark_file(own) else ""
    data = {
        name: one
        for benchmark in benchmarks
        for twin, turns in TWINS.items()
        for name, one in _of_benchmark(benchmark, twin, turns, path)
    }
    if own and not data:
        raise TurnwiseError(
            f"The benchmark {own!r} has training tasks alone, which lm_eval is not given: ask them by turnwise run."
        )
    if not own:
        installed = [name for name in installed_benchmarks() if not name.endswith(f"_{TRAINING_SPLIT}")]
        names = [f"{name}_{twin}" for name in {*installed} - {*found} for twin in TWINS]
        data |= {name: _of_task(name) for name in sorted(names)}
        real = [f"{one.asked[0].name}_multiturn" for one in benchmarks if not one.is_sample]
        # No mean over these: they are different questions.
        data["turnwise"] = {"group": "turnwise", "task": real, "metadata": _VERSION}
    texts = {f"{name}.yaml": yaml.safe_dump(one, sort_keys=False, allow_unicode=True) for name, one in data.items()}
    return {"_turnwise": SHARED, **texts}


def write_definitions(own: str = "") -> Path:
    """Return the folder of the definitions, in the user's cache; raises TurnwiseError where that cannot be written."""
    folder, files = default_cache_dir(dict(os.environ)), definitions(own)
    try:
        return _write(folder / "lm-eval", files)
    except OSError as error:
        raise TurnwiseError(
            f"The definitions for lm_eval cannot be kept in {str(folder)!r} ({error.strerror}): set TURNWISE_CACHE to "
            "a folder that can be written."
        ) from None


@cache
def definitions_folder() -> Path:
    """Return the folder of the definitions; where the cache cannot be written, one that this process removes."""
    try:
        return write_definitions()
    except TurnwiseError:
        folder = Path(tempfile.mkdtemp(prefix="turnwise-lm-eval-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return _write(folder, definitions())


def _write(above: Path, files: Mapping[str, str]) -> Path:
    folder = above / hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]
    for name, text in files.items():
        path = folder / name
        if not (path.is_file() and path.read_bytes() == text.encode()):
            write_atomically(path, text)
    return folder


def _of_benchmark(benchmark: Benchmark, twin: str, turns: int, path: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the definitions of one twin by file name; what has difficulties is a group of them."""
    asked = [stem for stem in benchmark.asked if stem.split != TRAINING_SPLIT]
    levels = [stem for stem in asked if stem.difficulty]
    for stem in asked:
        name = f"{stem.name}_{twin}"
        if levels and not stem.difficulty:
            yield f"{name}_group", _of_group(name, levels, twin, turns)
        else:
            yield name, _of_task(name, path)


def _of_task(name: str, path: str = "") -> dict[str, object]:
    own = {"dataset_kwargs": {"benchmark": path}} if path else {}
    return {"include": "_turnwise", "task": name, "dataset_name": name, **own}


def _of_group(name: str, levels: list[Stem], twin: str, turns: int) -> dict[str, object]:
    metrics = ["pass@1", "pass@10", "pass@100", f"1@{turns}", *(["10@100"] if turns > 1 else []), "no_code", "missing"]
    return {
        "group": name,
        "task": [f"{stem.name}_{twin}" for stem in levels],
        "aggregate_metric_list": [{"metric": one, "aggregation": "mean", "weight_by_size": True} for one in metrics],
        "metadata": _VERSION,
    }
