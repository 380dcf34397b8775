"""lm-eval's own functions read what ``turnwise export --format lm-eval`` writes: names, table, fields."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.commands.exchange import export_command
from turnwise.commands.score import score_command

# Runs in the Python that has lm-eval: what its own consumers of a results folder do first.
_READ = """
import importlib.util, json, sys
from pathlib import Path
from lm_eval.utils import (
    get_file_datetime, get_file_task_name, get_latest_filename, get_results_filenames,
    get_sample_results_filenames, make_table, sanitize_model_name,
)
files = [str(path) for path in Path(sys.argv[1]).rglob("*")]
results, samples = get_results_filenames(files), get_sample_results_filenames(files)
document = json.loads(Path(get_latest_filename(results)).read_text())
schema = {}
if importlib.util.find_spec("lm_eval.result_schema"):
    from lm_eval import result_schema
    schema = {
        "of_results": sorted(result_schema._TaskMetrics.__required_keys__),
        "of_samples": sorted(result_schema.SampleResult.__required_keys__),
        "of_document": sorted(result_schema.EvalResults.__optional_keys__),
    }
print(json.dumps({
    "results": results,
    "tasks": sorted(get_file_task_name(Path(name).name) for name in samples),
    "dates": sorted({get_file_datetime(Path(name).name) for name in samples}),
    "folder": sanitize_model_name(document["model_name"]),
    "table": make_table(document),
    "schema": schema,
}))
"""


@pytest.fixture(scope="session")
def lm_eval_python(python_with: Callable[[str], str]) -> str:
    """The Python that has lm-eval: TURNWISE_TEST_LM_EVAL, or this one."""
    return python_with("lm-eval")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, lm_eval_python: str) -> Path:
    """Two models of the demo, exported into one folder as lm-eval would have written them."""
    folder = tmp_path_factory.mktemp("lm_eval")
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    subprocess.run([sys.executable, "-m", "turnwise", "demo", "-o", "demo"], cwd=folder, env=environment, check=True)
    for model in ("steady", "repairing"):
        export_command([folder / "demo" / model], "lm-eval", folder / "exported")
    return folder


@pytest.fixture(scope="module")
def read(exported: Path, lm_eval_python: str) -> dict[str, Any]:
    """What lm-eval finds in the folder of one model."""
    command = [lm_eval_python, "-c", _READ, str(exported / "exported" / "repairing")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_lm_eval_finds_the_files_by_their_names(exported: Path, read: dict[str, Any]) -> None:
    """One results file, a samples file for each task, of one date that pandas and people can sort."""
    record = json.loads((exported / "demo" / "repairing" / "run.json").read_text())
    assert len(read["results"]) == 1
    assert read["tasks"] == sorted(task["task"] for task in record["tasks"])
    assert len(read["dates"]) == 1 and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d(\.\d+)?", read["dates"][0])
    assert read["folder"] == "repairing"


@pytest.mark.slow
def test_lm_evals_table_has_our_scores(exported: Path, read: dict[str, Any]) -> None:
    """make_table, which lm_eval prints after a run: pass@1 and n@k of each task, as turnwise score has them."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in read["table"].splitlines()[2:]]
    task, found = "", {}
    for row in rows:
        task = row[0] or task
        found[task, row[4]] = float(row[6])
    scored = json.loads(score_command([exported / "demo" / "repairing"], style="json"))["tasks"]
    expected = {
        (one["task"], estimate["metric"]): estimate["value"]
        for one in scored
        for estimate in one["estimates"]
        if (estimate["group"], estimate["turns"]) == ("all", 3) and estimate["metric"] in ("pass@1", "1@6")
    }
    assert len(expected) == 8
    assert {place: found[place] for place in expected} == pytest.approx(expected, abs=5e-4)


@pytest.mark.slow
def test_the_fields_are_those_of_lm_evals_schema(exported: Path, read: dict[str, Any]) -> None:
    """Every field that its schema asks of a task's results and of a sample; none at the top that it does not know."""
    if not (schema := read["schema"]):
        pytest.skip("this lm-eval has no schema of its results")
    (results,) = (exported / "exported" / "repairing").glob("results_*.json")
    document = json.loads(results.read_text())
    assert all(set(schema["of_results"]) <= set(one) for one in document["results"].values())
    assert set(document) <= set(schema["of_document"])
    for samples in results.parent.glob("samples_*.jsonl"):
        for line in samples.read_text().splitlines():
            assert set(schema["of_samples"]) <= set(json.loads(line))
