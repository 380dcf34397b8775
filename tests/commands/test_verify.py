"""Training problems are asked where their own solutions pass the judge: a command finds that out, once."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.cli.main import _finish
from turnwise.commands.verify import refuse_undecided
from turnwise.errors import InfrastructureError
from turnwise.records.own_solutions import Finding, Verification, VerifiedProblem
from turnwise.records.report import Verdict
from turnwise.records.settings import JudgeRecord

RIGHT, WRONG, CRASH = "print(int(input()) + 1)", "print(int(input()) + 2)", "raise SystemExit(3)"
# By name: the own solutions, and what is found when the first three are judged.
PROBLEMS: dict[str, tuple[list[str], str]] = {
    "failing": ([RIGHT, WRONG], "own_solutions_fail passed, wrong_answer"),
    "plain": ([RIGHT], ""),
    "bare": ([], "no_solution"),
    "one_crashes": ([CRASH, f"{RIGHT} "], ""),
    "all_crash": ([CRASH], "own_solutions_fail runtime_error"),
    "fourth_is_wrong": ([f"{RIGHT}{' ' * number}" for number in range(3)] + [WRONG], ""),
}
KEPT = ["plain", "one_crashes", "fourth_is_wrong"]
TASK = "toy_train_singleturn"
Turnwise = Callable[..., tuple[int, str]]


def write_problems(problems: dict[str, list[str]]) -> None:
    """Write toy_train.jsonl, with one problem more that cannot be scored, and right answers to all."""
    tests = {
        "public_tests": [{"input": "1\n", "output": "2\n"}],
        "hidden_tests": [{"input": "4\n", "output": "5\n"}],
    }
    rows: list[dict[str, Any]] = [
        {"name": name, "statement": "Print the next number.", "solutions": solutions, **tests}
        for name, solutions in problems.items()
    ]
    rows.append({**rows[0], "name": "untested", "hidden_tests": []})
    Path("toy_train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    answers = [{"problem": f"toy_train/{name}", "solution": RIGHT} for name in problems]
    Path("answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))


@pytest.fixture
def turnwise(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Turnwise:
    """turnwise(*arguments) returns the exit status and what it said, beside the problems and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TURNWISE_CACHE", str(tmp_path / "cache"))
    write_problems({name: solutions for name, (solutions, _) in PROBLEMS.items()})

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["turnwise", *arguments])
        status = _finish([*arguments])
        said = capsys.readouterr()
        return status, said.out if status in (0, 3) else said.err

    return run


def verify(*more: str) -> tuple[str, ...]:
    """Return the line that judges the own solutions."""
    return ("verify", "-t", TASK, "--benchmark", "toy_train.jsonl", *more)


def asking(command: str, *more: str) -> tuple[str, ...]:
    """Return a line that asks the task of a model that answers everything."""
    model = ("-M", "replay", "-a", "path=answers.jsonl", "-t", TASK, "--benchmark", "toy_train.jsonl")
    return (command, *model, "-o", "out", *more)


def task_of(folder: str) -> dict[str, Any]:
    """Return the one task in the run.json of ``folder``, the asked problems by name."""
    (task,) = json.loads(Path(folder, "run.json").read_text())["tasks"]
    return {**task, "asked": [one["id"].removeprefix("toy_train/") for one in task["asked"]]}


def cached_lines() -> list[dict[str, Any]]:
    """Return what the cache holds."""
    (path,) = Path("cache", "verified").glob("*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_problems_are_kept_by_their_own_solutions_and_the_others_named(turnwise: Turnwise) -> None:
    """Kept is one of which a solution passes and none gives a wrong answer; the same line again judges nothing."""
    status, said = turnwise(*verify())
    assert status == 0 and f"{TASK}: 3 of 6 problems are kept (7 loaded; at most 3 of a problem's own" in said
    listed = [" ".join(line.split()) for line in said.splitlines() if line.startswith("toy_train/")]
    assert listed == [f"toy_train/{name} {reason}".strip() for name, (_, reason) in PROBLEMS.items() if reason]
    before = cached_lines()
    status, said = turnwise(*verify("--json"))
    document = json.loads(said)
    assert (status, document["kept"], document["judged"], document["loaded"]) == (0, 3, 6, 7)
    assert document["left_out"][0] == {
        "problem": "toy_train/failing",
        "finding": "own_solutions_fail",
        "verdicts": ["passed", "wrong_answer"],
    }
    assert cached_lines() == before and len(before) == 6


def test_a_run_asks_what_is_kept_and_goes_by_its_run_json(turnwise: Turnwise, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the command that finds it out; once begun it needs no cache, on whatever machine it goes on."""
    status, said = turnwise(*asking("run"))
    assert status == 2 and f"The own solutions of 6 problems of {TASK} have not been judged by this judge" in said
    assert not Path("out").exists() or not list(Path("out").iterdir())
    line = shlex.split(said[said.index("turnwise verify") :].partition(", or ask")[0])
    assert turnwise(*line[1:])[0] == 0
    status, said = turnwise(*asking("run"))
    assert (
        status == 0
        and "training problems, kept by up to 3 of their own solutions, so this score is no evaluation" in said
    )
    task = task_of("out")
    assert (task["asked"], task["split"], task["own_solutions"]) == (KEPT, "train", 3)
    assert task["left_out"] == {
        "toy_train/untested": ["no_hidden_tests"],
        "toy_train/failing": ["own_solutions_fail"],
        "toy_train/bare": ["no_solution"],
        "toy_train/all_crash": ["own_solutions_fail"],
    }
    record = Path("out/run.json").read_bytes()
    (shard,) = Path("out/trajectories", TASK).glob("*.jsonl")
    sampled = shard.read_bytes()
    shard.unlink()
    shutil.rmtree("out/verdicts")
    monkeypatch.setenv("TURNWISE_CACHE", str(Path("elsewhere").absolute()))
    status, said = turnwise(*asking("run"))
    assert (status, shard.read_bytes(), Path("out/run.json").read_bytes()) == (0, sampled, record), said
    assert not Path("elsewhere", "verified").exists()


@pytest.mark.long
@pytest.mark.parametrize("command", ["sample", "grid", "submit"])
def test_no_command_asks_what_is_not_known(turnwise: Turnwise, command: str) -> None:
    """No folder is begun, and no model opened; once it is known each asks what is kept."""
    line = asking(command, *(["--cluster", "debug"] if command == "submit" else []))
    line += ("--cells", "none+none") if command == "grid" else ()
    status, said = turnwise(*(word.replace("answers.jsonl", "none.jsonl") for word in line))
    assert status == 2 and "turnwise verify -t" in said and not list(Path("out").rglob("run.json"))
    assert turnwise(*verify())[0] == 0
    status, said = turnwise(*line)
    assert status == 0, said
    (run,) = (path.parent for path in Path("out").rglob("run.json"))
    assert task_of(str(run))["asked"] == KEPT
    (shard,) = Path(run, "trajectories", TASK).glob("*.jsonl")
    sampled = shard.read_bytes()
    shard.unlink()
    shutil.rmtree("cache")  # as on another machine: workers of a submission ask what run.json says
    (run / "finished").unlink(missing_ok=True)
    status, said = turnwise(*(("resume", "out") if command == "submit" else line))
    assert (status, shard.read_bytes()) == (0, sampled), said
    if command == "submit":
        assert "Page: none" in said and not Path("out", "site").exists()
    shutil.rmtree(run / "verdicts", ignore_errors=True)
    assert turnwise("judge", str(run), "--benchmark", "toy_train.jsonl")[0] == 0


def test_all_problems_can_be_asked_and_run_json_says_so(turnwise: Turnwise) -> None:
    """Without a result at hand; the setting is refused where no training task is asked."""
    all_of_them = ("--metadata", '{"own_solutions": 0}')
    assert turnwise(*asking("run", *all_of_them))[0] == 0
    assert task_of("out")["asked"] == list(PROBLEMS) and "own_solutions" not in task_of("out")
    assert json.loads(Path("out/run.json").read_text())["settings"]["own_solutions"] == 0
    status, said = turnwise("run", "-M", "replay", "-t", "sample_taco_multiturn", *all_of_them, "-o", "other")
    assert status == 2 and "own_solutions is 0, which serves training tasks alone" in said


def test_what_was_judged_before_a_kill_is_not_judged_again(turnwise: Turnwise) -> None:
    """Nor is a torn line more than one problem: the rest is judged, and the result is whole."""
    waits = [f"import time\ntime.sleep({0.0 if number < 2 else 0.4})\n{RIGHT}" for number in range(6)]
    write_problems({f"p{number}": [program] for number, program in enumerate(waits)})
    command = [sys.executable, "-m", "turnwise", *verify("--workers", "1")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(Path("cache", "verified").glob("*.jsonl")) or not cached_lines():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (path,) = Path("cache", "verified").glob("*.jsonl")
    known = [line["problem"] for line in cached_lines()]
    with path.open("a") as file:
        file.write('{"problem": "toy_train/p5", "find')
    status, said = turnwise(*verify())
    assert status == 0 and "6 of 6 problems are kept" in said
    whole = [line for line in path.read_text().splitlines() if line.endswith("}")]
    judged = [json.loads(line)["problem"] for line in whole]
    assert judged[: len(known)] == known and sorted(judged) == [f"toy_train/p{number}" for number in range(6)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-t", "sample_taco_multiturn"), "sample_taco_multiturn is no training task, and asks all its problems"),
        (("-t", "codecontests_train_*"), "those over a train split are chosen by their full names alone"),
        (("-t", "taco_train_multiturn", "--solutions", "0"), "--solutions is 0: give a number of solutions"),
        (("-t", "taco_train_multiturn", "--limit", "0"), "--limit is 0: give a number of problems"),
        (("-t", "taco_train_multiturn,taco_train_singleturn"), "names 2 tasks"),
    ],
)
def test_mistakes_end_in_a_sentence(turnwise: Turnwise, arguments: tuple[str, ...], message: str) -> None:
    """With status 2, and nothing is kept."""
    status, said = turnwise("verify", *arguments)
    assert status == 2 and message in said and not Path("cache", "verified").exists()


def test_problems_on_which_the_machine_failed_are_named_with_status_3() -> None:
    """All in the document, the first in the sentence."""
    spoiled = [
        VerifiedProblem(f"toy/{number}", Finding.OWN_SOLUTIONS_UNDECIDED, (Verdict.INFRASTRUCTURE_FAILURE,))
        for number in range(7)
    ]
    judge = JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0)
    found = Verification("toy_train_multiturn", "toy", "train", "0" * 64, judge, 3, 9, 9, 2, tuple(spoiled))
    with pytest.raises(InfrastructureError, match=r"toy/0, .*toy/4 and 2 more, which are not decided") as error:
        refuse_undecided(found)
    assert error.value.exit_status == 3
    refuse_undecided(Verification("toy_train_multiturn", "toy", "train", "0" * 64, judge, 3, 9, 2, 2, ()))


def test_real_train_problems_are_verified(turnwise: Turnwise, data_dir: Path) -> None:
    """The first of them: of four the accepted programs are refused."""
    line = ("verify", "-t", "codecontests_train_multiturn", "--data-dir", str(data_dir), "--limit", "6", "--json")
    status, said = turnwise(*line)
    document = json.loads(said)
    assert (status, document["loaded"], document["judged"], document["kept"]) == (0, 226, 6, 2)
    assert {one["finding"] for one in document["left_out"]} == {"own_solutions_fail"}
