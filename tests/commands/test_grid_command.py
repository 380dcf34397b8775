"""``turnwise grid`` from the command line: plan, run, resume, tables; what cannot be is one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from chat_server import ChatServer, Completion

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"
BASE = ("-M", "replay", "-a", f"path={ANSWERS}", "-t", "sample_codecontests_multiturn")


def _grid(*arguments: str, status: int = 0) -> str:
    command = [sys.executable, "-m", "turnwise", "grid", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == status and "Traceback" not in done.stderr, done.stderr
    return done.stdout if status == 0 else done.stderr


def test_a_dry_run_names_the_cells(tmp_path: Path) -> None:
    """And makes no folder."""
    shown = _grid(*BASE, "-o", str(tmp_path / "x"), "--dry-run")
    assert shown.splitlines()[:2] == ["none+none", "none+helper_functions"]
    assert shown.endswith("63 cells; nothing was run.\n") and not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_grid_is_run_scored_and_gone_on_with(tmp_path: Path) -> None:
    """A run folder for each cell, tables and heat-map data beside them; the same line again asks nothing."""
    own = tmp_path / "mine.yaml"
    own.write_text("turns:\n  - instruction: docstrings\n  - feedback: binary\n")
    output = tmp_path / "grid"
    options = ("-o", str(output), "--cells", "none+none,problem_tag+docstrings", "--strategy", f"cot,cot_retry,{own}")
    options += ("--feedback", "binary,failed_tests", "--metadata", '{"samples_per_problem": 2}')
    first = _grid(*BASE, *options)
    names = sorted(path.name for path in output.iterdir() if (path / "run.json").exists())
    assert names == sorted(
        [
            *(f"cot,{cell},feedback={kind}" for cell in ("none+none", "problem_tag+docstrings") for kind in KINDS),
            *(f"cot_retry,feedback={kind}" for kind in KINDS),
            "mine,feedback=binary",
        ]
    )
    assert "Cells, percent solved" in first and "in-sample" in first
    assert {row["strategy"] for row in json.loads((output / "heat_map.json").read_text())["cells"]} == {
        "cot",
        "cot_retry",
        "mine",
        "multi_turn",
    }
    costs = {path: path.read_bytes() for path in output.glob("*/costs/*")}
    assert _grid(*BASE, *options) == first
    assert {path: path.read_bytes() for path in output.glob("*/costs/*")} == costs
    assert (output / "tables" / "grid.txt").read_text() in first + "\n"


KINDS = ("binary", "failed_tests")


@pytest.mark.slow
def test_a_finished_grid_needs_no_model(tmp_path: Path) -> None:
    """The same line again prints the tables when the server has gone."""
    options = ("-t", "sample_mbpp_plus_multiturn", "--cells", "none+none", "--temperatures", "0,1", "-M", "openai")
    with ChatServer(lambda body: Completion(f"None, {body['seed']}.")) as server:
        options += ("-a", f"base_url={server.base_url}", "-o", str(tmp_path / "grid"))
        first = _grid(*options)
    assert _grid(*options) == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cells", "x*"), "--cells 'x*' selects none of the 63"),
        (("--strategy", "dialogue"), "Unknown strategy 'dialogue'"),
        (("--temperatures", "warm"), "--temperatures has the value 'warm': give numbers"),
        (("--max-turns", "0"), "--max-turns has the value '0'"),
        (("--strategy", "/nowhere.yaml"), "cannot be read (No such file or directory)"),
        (("--metric", "pass@7"), "--metric is 'pass@7', which sample_codecontests_multiturn will not have: choose one"),
    ],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    """Before anything is asked or written."""
    assert message in _grid(*BASE, "-o", str(tmp_path / "x"), *options, status=2)
    assert not (tmp_path / "x").exists()


def test_two_strategies_of_one_name_are_refused(tmp_path: Path) -> None:
    """One would take the other's folder."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.yaml").write_text("turns:\n  - {}\n")
    files = f"{tmp_path}/a/mine.yaml,{tmp_path}/b/mine.yaml"
    assert "has the name 'mine' as another one has" in _grid(
        *BASE, "-o", str(tmp_path / "x"), "--strategy", files, status=2
    )


def test_what_a_grid_needs_is_named() -> None:
    """As for turnwise run."""
    assert "turnwise grid needs --model" in _grid(status=2)
