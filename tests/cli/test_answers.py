"""--answers and --tests: what they change, what they refuse, and what judging anew says of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "repairing.jsonl"
RUN = ("run", "-M", "replay", "-a", f"path={ANSWERS}", "-t", "sample_codecontests_multiturn")


def _turnwise(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "turnwise", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def by_equality(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run judged by equality."""
    folder = tmp_path_factory.mktemp("equality") / "run"
    assert _turnwise(*RUN, "-o", folder, "--answers", "equality", "--tests", "all").returncode == 0
    return folder


def test_a_run_by_equality_says_nothing_new(by_equality: Path) -> None:
    """Its record is as before there was a choice."""
    record = json.loads((by_equality / "run.json").read_text())
    assert not {"answers", "answers_sha256", "tests"} & set(record["judge"])
    assert not {"checked", "invalid_tests"} & set(record["tasks"][0])


def test_judging_anew_counts_what_changed(by_equality: Path, tmp_path: Path) -> None:
    """Verdicts, and dialogues that were told that a right program fails; the set's digest is recorded."""
    done = _turnwise("judge", by_equality, "-o", tmp_path / "new", "--answers", "checkers-1", "--tests", "valid")
    assert done.returncode == 0, done.stderr
    assert "1 of 9 verdicts changed (wrong_answer to passed: 1).\n" in done.stdout
    assert "1 of 4 dialogues had been told that a program fails which this judge passes" in done.stdout
    record = json.loads((tmp_path / "new" / "run.json").read_text())
    assert (record["judge"]["answers"], record["judge"]["tests"]) == ("checkers-1", "valid")
    assert len(record["judge"]["answers_sha256"]) == 64
    assert record["tasks"][0]["checked"] == 1
    again = _turnwise("judge", tmp_path / "new")
    assert again.returncode == 0 and "Judged" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*RUN, "--answers", "checkers-9"), "Unknown answers 'checkers-9': choose equality, checkers-1, or a folder"),
        ((*RUN, "--answers", "."), "The folder of checkers '.' holds no set.json: turnwise checkers validate --write"),
        ((*RUN, "--tests", "some"), "--tests is 'some': choose one of all, valid."),
        ((*RUN, "--metadata", '{"tests": "some"}'), "--metadata tests is 'some': it has to be 'all' or 'valid'."),
        ((*RUN, "--metadata", '{"answers": ""}'), "--metadata answers is ''"),
        (("judge", "RUN", "--answers", "checkers-1"), "A run has one judge: give -o NEW_FOLDER to judge it with"),
        (("judge", "RUN", "--tests", "valid"), "A run has one judge: give -o NEW_FOLDER to judge it with"),
        (("check", ANSWERS, "--problem", "a/b", "--tests", "x.json"), "Give --problem ID or --tests FILE"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    arguments: tuple[object, ...], sentence: str, by_equality: Path, tmp_path: Path
) -> None:
    """The thing, its value and the remedy; nothing is written."""
    given = [by_equality if one == "RUN" else one for one in arguments]
    output = ["-o", tmp_path / "out"] if arguments[0] == "run" else []
    done = _turnwise(*given, *output)
    assert done.returncode == 2 and sentence in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "out").exists()


def test_a_checker_of_ones_own_is_used_by_name_alone(by_equality: Path, tmp_path: Path) -> None:
    """Its run names the set; who judges it again has to name the folder."""
    own = tmp_path / "mine"
    (own / "sample_codecontests").mkdir(parents=True)
    text = (
        "from turnwise.benchmarks.checkers.reading import Wrong\n\n\n"
        "def check(text: str, output: str, expected: str) -> None:\n"
        "    if 'YES' not in output:\n        raise Wrong('no')\n"
    )
    (own / "sample_codecontests" / "psample_d.py").write_text(text)
    from turnwise.benchmarks.checkers.checker_sets import Validation, Validations, digest_of, reading_text
    from turnwise.records.codec import to_line

    planting = Validation(
        "sample_codecontests/sample_D. Ring of Beds", "sample_codecontests/psample_d.py", digest_of(text)
    )
    results = Validations("mine", digest_of(reading_text()), (planting,))
    (own / "set.json").write_text(to_line(results))
    done = _turnwise("judge", by_equality, "-o", tmp_path / "new", "--answers", own, "--tests", "all")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "new" / "run.json").read_text())["judge"]["answers"] == "mine"
    refused = _turnwise("judge", tmp_path / "new")
    assert refused.returncode == 2 and "give --answers their folder" in refused.stderr
    assert _turnwise("judge", tmp_path / "new", "--answers", own).returncode == 0
    (own / "sample_codecontests" / "psample_d.py").write_text(text + "# changed\n")
    done = _turnwise("judge", by_equality, "-o", tmp_path / "newer", "--answers", own)
    assert "is not used: it has changed since it was validated" in done.stderr


def test_check_explains_by_the_checker(tmp_path: Path) -> None:
    """What it says of a public test; with equality there is none."""
    program = tmp_path / "program.py"
    program.write_text('for _ in range(int(input())):\n    input()\n    print("NO")\n')
    planting = ("check", program, "--problem", "sample_codecontests/sample_D. Ring of Beds")
    done = _turnwise(*planting)
    assert done.returncode == 0 and "lawn 1: the answer is no, which is wrong" in done.stdout
    assert "checker:" not in _turnwise(*planting, "--answers", "equality").stdout
