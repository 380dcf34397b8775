"""``turnwise audit`` on the command line: what it prints, one document as JSON, the file, and mistakes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.cli.main import _run
from turnwise.errors import TurnwiseError
from turnwise.records.audit import Truth, read_audit

TASK = "sample_codecontests_singleturn"


def _audit(cwd: Path, cache_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "turnwise", "audit", *arguments]
    environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)


def test_rates_are_printed_beside_the_published_ones(tmp_path: Path, cache_dir: Path) -> None:
    """With counts, intervals and the judge; the bundled sample's programs are judged as they are known."""
    done = _audit(tmp_path, cache_dir, "-t", TASK, "-L", "2", "--mutants", "0", "-o", "a.json", "--answers", "equality")
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert any(line[:6] == ["solutions", "of", "the", "data", "set", "right"] and "TPR" in line for line in lines)
    for part in (
        "incorrect solutions of the data set",
        "CodeContests-O             89.37 %  90.89 %",
        "answers equality",
    ):
        assert part in done.stdout, part
    rates = read_audit(tmp_path / "a.json").rates
    assert {(rate.truth, rate.rate) for rate in rates} == {(Truth.RIGHT, 1.0), (Truth.WRONG, 1.0)}


def test_json_is_one_document_with_intervals_and_published_rates(tmp_path: Path, cache_dir: Path) -> None:
    """And the same counts as the file."""
    arguments = ("-t", TASK, "-L", "1", "--mutants", "0", "--answers", "equality", "--tests", "all", "--json")
    done = _audit(tmp_path, cache_dir, *arguments)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (first, *_) = document["rates"]
    assert (first["truth"], first["accepted"], first["rate"]) == ("right", 1, 1.0)
    assert first["interval"]["method"] == "Wilson" and first["interval"]["upper"] == 1.0
    assert document["published"]["rates"][0] == {
        "tests": "CodeContests, by equality",
        "right_accepted": 0.8505,
        "wrong_refused": 0.8152,
    }


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("no.jsonl", "The labels 'no.jsonl' cannot be read (No such file or directory): give --labels another file."),
        ("bare.jsonl", "The labels 'bare.jsonl' hold no verdict in 1 rows: give each program a 'verdict', which is "),
    ],
)
def test_labels_that_are_none_are_refused(tmp_path: Path, cache_dir: Path, labels: str, said: str) -> None:
    """Thing, value and remedy; exit status 2, and nothing is printed or written."""
    (tmp_path / "bare.jsonl").write_text(json.dumps({"problem": "sample_A. Whistling Kettles", "program": "print(1)"}))
    done = _audit(tmp_path, cache_dir, "-t", TASK, "--labels", labels, "-o", "a.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"turnwise: {said}" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["-t", "sample_*"],
            r"--tasks 'sample_\*' names 8 tasks \(sample_codecontests_multiturn, .*: give one of them",
        ),
        (["-t", TASK, "--mutants", "-1"], "--mutants is -1: give a number of mutants for each problem, or 0 for none"),
        (["-t", TASK, "--time-factor", "0"], "--time-factor is 0: give a number above 0"),
        (["-t", TASK, "-L", "inf"], "--limit is inf: give a number of problems, or a fraction above 0"),
        (["-t", TASK, "--answers", "nosuch"], "Unknown answers 'nosuch': choose equality, checkers-1, or a folder"),
        (["-t", TASK, "-o", "."], r"The output '\.' is a folder: give --output_path a file, such as audit\.json"),
        (["-t", TASK, "-o", "/dev/null/a"], "The output '/dev/null' cannot be written, since '/dev/null' is no folder"),
    ],
)
def test_a_mistake_is_found_before_any_program_runs(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """Thing, value and remedy; exit status 2."""
    monkeypatch.setenv("TURNWISE_CACHE", "/dev/null/never")  # where no machine could be opened
    with pytest.raises(TurnwiseError, match=said) as caught:
        _run(["audit", *arguments])
    assert caught.value.exit_status == 2
