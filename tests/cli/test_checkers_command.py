"""``turnwise checkers validate`` as a user types it: counts, set.json, exit statuses, one-sentence errors."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.benchmarks.checkers.checker_sets import Validation, Validations, folder_of, read_results, write_results
from turnwise.commands import checkers as command
from turnwise.commands.checkers import render_table, validate_command
from turnwise.commands.options import ValidateOptions
from turnwise.errors import TurnwiseError

CHECKER = '''"""Two numbers from 1 that add up to n."""

from turnwise.benchmarks.checkers.reading import Invalid, Reader


def validate(text: str) -> None:
    reader = Reader(text, Invalid)
    reader.integer(2, 100, "n")
    reader.end()


def check(text: str, output: str, expected: str) -> None:
    reader = Reader(output)
    first, second = reader.integers(2, 1, 99, "a number")
    reader.end()
    if first + second != int(text):
        reader.refuse(f"{first} and {second} do not add up")
'''
VALIDATOR = CHECKER.partition("\n\ndef check")[0]  # which is validated sooner
TESTS = [{"input": "5\n", "output": "1 4\n"}]
ROWS = [
    {"name": "A. Pair", "statement": "A pair.", "public_tests": TESTS, "hidden_tests": TESTS},
    {"name": "B", "statement": "A pair.", "public_tests": TESTS, "hidden_tests": TESTS},
]
DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "checkers.md"


def turnwise(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "turnwise", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    assert "Traceback (most" not in done.stderr
    return done


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a benchmark toy.jsonl, a set of checkers ``own`` for its problem A, and a program."""
    (tmp_path / "toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "own" / "toy").mkdir(parents=True)
    (tmp_path / "own" / "toy" / "pa.py").write_text(CHECKER)
    (tmp_path / "program.py").write_text("n = int(input())\nprint(n - 1, 1)\n")
    return tmp_path


def validate(place: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return turnwise("checkers", "validate", "own", "--benchmark", "toy.jsonl", *arguments, cwd=place)


def check(place: Path) -> subprocess.CompletedProcess[str]:
    arguments = ("--problem", "toy/A. Pair", "--benchmark", "toy.jsonl", "--answers", "own")
    return turnwise("check", "program.py", *arguments, cwd=place)


def test_a_set_is_written_when_that_is_asked_for_and_then_judges(place: Path) -> None:
    """Without --write nothing is written; what is written is the same every time, and names whose set it is."""
    done = validate(place)
    assert done.returncode == 0, done.stderr
    assert "toy/A. Pair" in done.stdout and "own/set.json was not written: --write does it." in done.stdout
    assert "checkers 1/1" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 of 1 checkers validate: 2 of 2 tests valid, 0 right outputs")
    assert not (place / "own" / "set.json").exists()

    assert "Written: own/set.json." in validate(place, "--write").stdout
    written = (place / "own" / "set.json").read_bytes()
    fields = json.loads(written)
    assert fields["name"] == "own" and [one["problem"] for one in fields["checkers"]] == ["toy/A. Pair"]
    assert "passed" in check(place).stdout.splitlines()[0]

    (place / "own" / "set.json").write_text(json.dumps({**fields, "name": "pairs", "origin": "o", "licence": "MIT"}))
    validate(place, "--write", "--workers", "1")
    again = json.loads((place / "own" / "set.json").read_bytes())
    assert again == {**fields, "name": "pairs", "origin": "o", "licence": "MIT"}


def test_a_checker_that_does_not_validate_is_said_and_not_used(place: Path) -> None:
    """Status 1, the reason in set.json, and judging by equality with a warning that names it."""
    (place / "own" / "toy" / "pa.py").write_text(CHECKER.replace("reader.end()\n    if", "if"))
    done = validate(place, "--write")
    assert done.returncode == 1
    assert "toy/pa.py: it accepts the expected output of public_tests 0 changed (extra word)" in done.stdout
    assert "0 of 1 checkers validate" in done.stdout
    judged = check(place)
    assert "wrong_answer" in judged.stdout.splitlines()[0]
    assert "the checker of toy/A. Pair is not used: it did not validate: it accepts" in judged.stderr


def test_tests_left_out_are_listed_with_the_constraint_that_they_break(place: Path) -> None:
    """Those of an own benchmark are its author's, so that one of them is a failure, too."""
    (place / "own" / "toy" / "pa.py").write_text(VALIDATOR)
    hidden = [{"input": f"{n}\n", "output": "1 1\n"} for n in (1, 0, 2)]
    (place / "toy.jsonl").write_text(json.dumps({**ROWS[0], "hidden_tests": hidden}) + "\n")
    said = _validate_here(place, place / "own")
    assert "breaks:\n  toy/A. Pair: 2 x n is #, not from # to #\n" in said
    assert "toy/pa.py: it calls the input of private_tests 0 invalid: n is 1, not from 2 to 100" in said


def test_a_run_does_not_use_a_checker_that_did_not_validate(place: Path) -> None:
    """The run goes on with equality for that problem, and says so."""
    failed = Validation("toy/A. Pair", "toy/pa.py", "0", failures=("it accepts nothing",))
    write_results(place / "own", Validations("own", _reading_digest(), (failed,)))
    answer = "```python\n" + (place / "program.py").read_text() + "```"
    rows = [{"problem": f"toy/{row['name']}", "solution": answer} for row in ROWS]
    (place / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    arguments = ("-M", "replay", "-a", "path=answers.jsonl", "-t", "toy_singleturn", "--benchmark", "toy.jsonl")
    done = turnwise("run", *arguments, "--answers", "own", "-o", "o", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "the checker of toy/A. Pair is not used: it did not validate: it accepts nothing." in done.stderr


def _reading_digest() -> str:
    return read_results(folder_of("checkers-1")).reading_sha256


def test_one_document_holds_what_was_left_out_and_what_survived(place: Path) -> None:
    """--json names constraints with counts, the mutants accepted, and every failure; no text stands beside it."""
    labels = [{"problem": "A. Pair", "group": "public_tests", "index": 0, "output": "3 2"}]
    (place / "labels.jsonl").write_text(json.dumps(labels[0]) + "\n")
    done = validate(place, "--json", "--labels", "labels.jsonl")
    document = json.loads(done.stdout)
    (found,) = document["checkers"]
    assert document["set"] == "own" and document["totals"]["labels"] == found["labels"] == 1
    assert found["constraints"] == {} and found["failures"] == [] and found["has_data"]
    assert found["survivors"] == len(found["survivors_to_read"]) == sum(found["survivors_by_kind"].values())
    assert all(one["accepted"].split() == ["4", "1"] for one in found["survivors_to_read"])


def test_survivors_are_shown_where_that_is_asked_for(place: Path) -> None:
    """Input, expected output and mutant, for a person to read."""
    shown = validate(place, "--survivors").stdout
    assert "toy/A. Pair, public_tests 0, words swapped:\n  input    '5\\n'\n  expected '1 4\\n'" in shown


def _validate_here(place: Path, answers: str | Path, **options: object) -> str:
    given = ValidateOptions(**{"benchmark": str(place / "toy.jsonl"), **options})  # type: ignore[arg-type]
    environ = {**os.environ, "TURNWISE_CACHE": str(place / "cache")}
    return validate_command(str(answers), given, environ=environ).text


def test_an_unknown_set_or_one_that_cannot_be_is_one_sentence(place: Path) -> None:
    """The thing, the value and the remedy; status 2 and nothing written."""
    done = turnwise("checkers", "validate", "nowhere", cwd=place)
    assert done.returncode == 2 and done.stdout == ""
    assert "Unknown answers 'nowhere': choose equality, checkers-1, or a folder of checkers" in done.stderr
    with pytest.raises(TurnwiseError, match="equality has no checkers: give checkers-1, or a folder"):
        _validate_here(place, "equality")
    (place / "empty").mkdir()
    with pytest.raises(TurnwiseError, match=r"holds no checker: write <benchmark>/p<name>\.py"):
        _validate_here(place, place / "empty")
    with pytest.raises(TurnwiseError, match=r"holds no set\.json: turnwise checkers validate --write makes it"):
        _validate_here(place, place / "own", table=True)
    write_results(place / "own", Validations("checkers-1", "", ()))
    with pytest.raises(TurnwiseError, match="is called 'checkers-1', which is the package's own: give another name"):
        _validate_here(place, place / "own")


def test_a_set_of_no_known_benchmark_or_of_no_task_asked_for_is_one_sentence(place: Path) -> None:
    """A folder is named like a benchmark; tasks are of one that has a folder."""
    with pytest.raises(TurnwiseError, match=r"The folder 'toy' of '.*own' is named like no benchmark: name it like"):
        _validate_here(place, place / "own", benchmark="")
    with pytest.raises(TurnwiseError, match=r"No task of 'sample_taco_singleturn' is of a benchmark .* are toy\."):
        _validate_here(place, place / "own", tasks="sample_taco_singleturn")


def test_labels_without_their_fields_are_one_sentence(place: Path) -> None:
    """Status 2, the row and the field."""
    (place / "labels.jsonl").write_text('{"problem": "A. Pair", "output": "3 2"}\n')
    done = validate(place, "--write", "--labels", "labels.jsonl")
    assert done.returncode == 2 and "labels.jsonl row 1: field 'group' is missing. Mend the row." in done.stderr
    assert not (place / "own" / "set.json").exists()


def test_a_changed_checker_of_the_package_raises_the_version(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name says that it is another set once the one before it is released."""
    (place / "own" / "toy" / "pa.py").write_text(VALIDATOR)
    earlier = Validation("toy/A. Pair", "toy/pa.py", "0" * 64)
    write_results(place / "own", Validations("checkers-1", "", (earlier,)))
    monkeypatch.setattr(command, "folder_of", lambda answers: place / "own")
    said = _validate_here(place, "checkers-1")
    assert (
        "toy/pa.py: changed, gone or no longer valid since checkers-1 was validated; once it is released, its" in said
    )
    assert "version has to rise (checkers-2)." in said


def test_a_checker_without_a_problem_in_the_data_is_listed(place: Path) -> None:
    """What was found before stays; without that it is not valid."""
    (place / "own" / "toy" / "pa.py").write_text(VALIDATOR)
    (place / "own" / "toy" / "pzzz.py").write_text(VALIDATOR)
    said = _validate_here(place, place / "own", write=True)
    assert "Not validated, since the data at hand do not have their problems: toy/pzzz.py." in said
    assert "toy/pzzz.py: the data at hand do not have its problem" in said and "1 of 2 checkers validate" in said


def test_a_torn_set_json_is_said_and_made_anew(place: Path) -> None:
    """Nothing of it is taken over."""
    (place / "own" / "toy" / "pa.py").write_text(VALIDATOR)
    (place / "own" / "set.json").write_text("{")
    said = _validate_here(place, place / "own", write=True)
    assert "set.json' cannot be read (it is cut off or no JSON): turnwise checkers validate --write makes it" in said
    assert read_results(place / "own").name == "own"


def test_the_table_of_the_documentation_is_that_of_the_package() -> None:
    """docs/checkers.md shows what set.json of checkers-1 says."""
    text = DOCUMENTATION.read_text(encoding="utf-8")
    table = text.partition("<!-- turnwise checkers validate --table -->\n")[2].partition("\n<!-- end -->")[0]
    results = read_results(folder_of("checkers-1"))
    assert table == render_table(results.checkers, "github")
    assert validate_command("checkers-1", ValidateOptions(table=True), environ={}).text == table


def test_the_example_of_the_documentation_is_a_checker(place: Path) -> None:
    """With its brute force it validates as it stands there."""
    checker, brute_force = re.findall(r"```python\n(.*?)```", DOCUMENTATION.read_text(encoding="utf-8"), re.DOTALL)
    (place / "own" / "toy" / "pa.py").write_text(checker)
    (place / "own" / "brute_force" / "toy").mkdir(parents=True)
    (place / "own" / "brute_force" / "toy" / "pa.py").write_text(brute_force)
    said = _validate_here(place, place / "own")
    assert "1 of 1 checkers validate" in said and "320 outputs as brute force has it" in said
