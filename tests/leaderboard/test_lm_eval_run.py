"""lm_eval's output read where it stands: what does not fit is one sentence, other tasks' files are passed over."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.exchange import lm_eval as lm_eval_output
from turnwise.exchange.runs import find_runs, read_run, read_runs
from turnwise.leaderboard.outcomes import read_outcomes
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import score_runs
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import RunSettings

Change = Callable[[dict[str, Any], list[dict[str, Any]]], None]


@pytest.fixture
def written(
    tmp_path: Path, write_run: Callable[..., Path], dialogue: Callable[..., Any], judge: Callable[..., Any]
) -> tuple[Path, Path]:
    """A run folder, and the folder of the files that lm_eval would have written of it."""
    solved, failed = dialogue("fail", "pass"), dialogue("fail", "none", sample=1)
    settings = RunSettings(samples_per_problem=2, n_at_k=("1@3",))
    run = write_run(tmp_path / "run", [solved, failed], [judge(solved)], settings=settings)
    folder = RunFolder(run)
    lm_eval_output.write(folder, folder.record.tasks, tmp_path / "out")
    return run, tmp_path / "out"


def _rewrite(folder: Path, change: Change) -> None:
    (results,), (samples,) = folder.rglob("results_*.json"), folder.rglob("samples_*.jsonl")
    document, rows = json.loads(results.read_text()), [json.loads(one) for one in samples.read_text().splitlines()]
    change(document, rows)
    results.write_text(json.dumps(document))
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_outcomes_are_those_of_the_run(written: tuple[Path, Path]) -> None:
    """In the folder, in the model's folder below it, and by the results file itself."""
    run, out = written
    (results,) = out.rglob("results_*.json")
    assert find_runs(out) == find_runs(results.parent) == find_runs(results) == [results]
    (own,), (read,) = read_outcomes(run).tasks, read_run(results).tasks
    assert (own.passed == read.passed).all() and (own.public == read.public).all()
    assert (own.record, own.gaps, own.ends, own.costs) == (read.record, read.gaps, read.ends, read.costs)


def test_behaviour_is_that_of_the_run(written: tuple[Path, Path]) -> None:
    """Its dialogues are in lm_eval's files, too."""
    tables = [paper_tables("behaviour", score_runs(read_runs(find_runs(path)))) for path in written]
    assert [table.rows for table in tables[0]] == [table.rows for table in tables[1]]
    assert len(tables[0][0].rows) == 2


def test_files_of_other_tasks_are_passed_over(written: tuple[Path, Path]) -> None:
    """Of a run of mixed tasks only ours are read."""
    (results,) = written[1].rglob("results_*.json")
    date = results.stem.removeprefix("results_")
    results.with_name(f"samples_gsm8k_{date}.jsonl").write_text("{}\n")
    _rewrite_configs(results, {"gsm8k": {"metadata": {"version": 3}}, "mmlu": {}})
    assert len(read_run(results).tasks) == 1


def _rewrite_configs(results: Path, more: dict[str, Any]) -> None:
    document = json.loads(results.read_text())
    document["configs"] |= more
    results.write_text(json.dumps(document))


def _twice(document: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for name in ("resps", "filtered_resps"):
        rows[0][name][0].append(rows[0][name][0][0])


def _of_another_problem(document: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    rows[0]["resps"][0][0] = json.dumps({**json.loads(rows[0]["resps"][0][0]), "problem": "b/other"})
    rows[0]["filtered_resps"][0][0] = json.dumps({"program": "", "judgements": []})


def _without_settings(document: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    for config in document["configs"].values():
        del config["metadata"]["turnwise"]["settings"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_twice, "was not asked for: it is damaged."),
        (_of_another_problem, "the dialogue about b/other, sample 0, was not asked for: it is damaged."),
        (_without_settings, "what it says of its run is damaged (settings: field required"),
        (
            lambda document, rows: document.clear(),
            "comes with no dialogues of turnwise: run lm_eval with --log_samples",
        ),
    ],
)
def test_what_was_changed_is_named(written: tuple[Path, Path], change: Change, message: str) -> None:
    """A dialogue twice or of a problem that was not asked, results that say nothing of their run."""
    _rewrite(written[1], change)
    (results,) = written[1].rglob("results_*.json")
    with pytest.raises(TurnwiseError) as caught:
        read_run(results)
    assert message in str(caught.value)
