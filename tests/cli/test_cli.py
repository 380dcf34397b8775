"""The command line as a user types it: clean output, one-sentence errors, exit statuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = "print(2 * int(input()))\n"
TESTS = {
    "public": [{"input": "1\n", "output": "2\n"}],
    "hidden": [{"input": "4\n", "output": "8\n"}, {"input": "5\n", "output": "10\n"}],
    "time_limit_seconds": 2,
    "memory_limit_bytes": 256_000_000,
}
_ANSWERS = Path(__file__).resolve().parents[2] / "benchmarks" / "sample" / "answers" / "steady.jsonl"
RUN = ["run", "-M", "replay", "-a", f"path={_ANSWERS}", "-t", "sample_mbpp_plus_multiturn", "-o", "o"]
HF = ["-M", "hf", "-a", "model=m", "-t", "sample_mbpp_plus_multiturn", "-o", "o"]


def _turnwise(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "turnwise", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a right program and tests for it."""
    (tmp_path / "right.py").write_text(PROGRAM)
    (tmp_path / "tests.json").write_text(json.dumps(TESTS))
    return tmp_path


def test_help_and_version() -> None:
    """Every command is listed."""
    shown = _turnwise("--help")
    assert shown.returncode == 0
    assert all(
        f"  {name} " in shown.stdout
        for name in ("tasks", "check", "run", "sample", "judge", "score", "publish", "plot", "export", "import", "demo")
    )
    assert _turnwise("--version").stdout == "turnwise 0.1.0\n"


def test_check_explains_a_right_program(files: Path) -> None:
    """Each public test is named; hidden tests are a count."""
    done = _turnwise("check", files / "right.py", "--tests", files / "tests.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tests/tests.json: passed\n")
    assert "Public test 1: passed" in done.stdout and "Hidden tests: 2 of 2 passed." in done.stdout
    assert "isolation: A" in done.stdout


def test_check_explains_a_wrong_program_without_hidden_data(files: Path) -> None:
    """Input, expected and output of the public test, control characters escaped; exit 0 whatever the verdict."""
    (files / "wrong.py").write_text("print('\\x1b[31m', 3)\n")
    done = _turnwise("check", files / "wrong.py", "--tests", files / "tests.json")
    assert done.returncode == 0
    assert "  expected:\n    2\n  output:\n    \\x1b[31m 3\n" in done.stdout
    assert "10" not in done.stdout.split("Hidden tests")[0]
    assert "Hidden tests: not run, since the program failed before them." in done.stdout


def test_check_prints_one_json_document(files: Path) -> None:
    """The document of the interface: verdicts and costs by test, tier, interpreter, matcher."""
    (files / "late.py").write_text("x = int(input())\nprint(2 * x if x < 5 else 'secret')\n")
    done = _turnwise("check", files / "late.py", "--tests", files / "tests.json", "--json")
    document: dict[str, Any] = json.loads(done.stdout)
    assert list(document) == ["problem", "passed", "verdict", "public", "hidden", "tier", "interpreter", "matcher"]
    assert (document["passed"], document["verdict"], document["matcher"]) == (False, "wrong_answer", "tokens")
    assert [set(one) for one in document["public"] + document["hidden"]] == [
        {"index", "verdict", "cpu_seconds", "peak_memory_bytes"}
    ] * 3
    assert [one["verdict"] for one in document["hidden"]] == ["passed", "wrong_answer"]
    assert "secret" not in done.stdout


def test_check_judges_a_problem_by_its_id(files: Path) -> None:
    """A problem of the sample, and one whose expected outputs are computed."""
    (files / "empty.py").write_text("")
    done = _turnwise("check", files / "empty.py", "--problem", "sample_mbpp_plus/Sample/100", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"] == "runtime_error"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "right.py"], "Give --problem ID or --tests FILE"),
        (["check", "right.py", "--tests", "tests.json", "--problem", "a/b"], "Give --problem ID or --tests"),
        (["check", "none.py", "--tests", "tests.json"], "program 'none.py' cannot be read (No such file"),
        (["check", "right.py", "--tests", "none.json"], "tests 'none.json' cannot be read"),
        (["check", "right.py", "--tests", "right.py"], "tests 'right.py' are not usable"),
        (["check", "right.py", "--tests", "list.json"], "tests 'list.json': the document is no object; write {"),
        (["check", "right.py", "--tests", "bad.json"], "public.0.output: field required; write {"),
        (["check", "right.py", "--tests", "none_in.json"], "hold no test"),
        (["check", "right.py", "--tests", "limit.json"], "time limit -1 is not a number >= 0"),
        (["check", "right.py", "--problem", "nothing"], "'nothing' is not written <benchmark>/<name>"),
        (["check", "right.py", "--problem", "sample_taco/99"], "No problem 'sample_taco/99' among the 4"),
        (["check", "right.py", "--problem", "taco/1", "--data-dir", "nowhere"], "'nowhere' does not exist"),
        (["check", "right.py", "--problem", "taco/1", "--data-dir", "."], "No data of taco/test in 'taco'"),
        (["check", "right.py", "--tests", "tests.json", "--matcher", "fuzzy"], "Unknown matcher 'fuzzy'"),
        (["check", "right.py", "--tests", "tests.json", "--time_factor", "0"], "--time-factor is 0"),
        (
            ["check", "right.py", "--tests", "tests.json", "--interpreter", "/x"],
            "interpreter '/x' does not run (there is no",
        ),
        (
            ["check", "right.py", "--tests", "tests.json", "--interpreter", "ls"],
            "does not run (it does not answer as Python does)",
        ),
        (["run"], "turnwise run needs --model"),
        (["run", "-M", "gpt", "-t", "x", "-o", "o"], "Unknown model 'gpt': choose one of openai, vllm, hf, replay"),
        (["run", "-M", "replay", "-t", "x", "-o", "o"], "Unknown task 'x'"),
        (["run", "-M", "replay", "-t", "sample_taco_multiturn", "-o", "o"], "needs -a path=FILE"),
        (["run", "-M", "replay", "-a", "x", "-t", "sample_taco_multiturn", "-o", "o"], "write name=value"),
        (
            ["run", "-M", "replay", "-a", "path=no", "-t", "sample_taco_multiturn", "-o", "o"],
            "'no' does not exist",
        ),
        (["run", "-M", "replay", "-a", "path=.", "-t", "sample_taco_multiturn", "-o", "o"], "'.' is no file"),
        (["run", "-M", "replay", "-t", "sample_taco_multiturn", "-o", "o", "--metadata", "{"], "is no JSON"),
        (["run", "-M", "replay", "-t", "sample_taco_multiturn", "-o", "o", "-L", "-3"], "--limit is -3"),
        ([*RUN, "-L", "nan"], "--limit is nan"),
        ([*RUN, "--workers", "-1"], "--workers is -1"),
        ([*RUN, "--time-factor", "inf"], "--time-factor is inf"),
        (
            [*RUN, "--metadata", '{"turns": 1}'],
            "--metadata 'turns' is unknown: the keys are profile, samples_per_problem, ",
        ),
        ([*RUN, "--metadata", '{"max_turns": 0}'], "--metadata max_turns is 0"),
        (
            [*RUN, "--metadata", '{"samples_per_problem": 1000000000}', "--dry-run"],
            "a run has 20000000 dialogues at most; give ",
        ),
        ([*RUN, "--metadata", '{"extraction": []}'], "--metadata extraction is []"),
        (
            [*RUN, "--metadata", '{"n_at_k": ["10@100"]}'],
            "n_at_k 10@100 draws 33 dialogues of 3 turns per problem",
        ),
        ([*RUN, "--gen_kwargs", "temperature=hot"], "--gen_kwargs temperature is 'hot'"),
        (
            ["run", *HF, "--gen_kwargs", "presence_penalty=0.5", "--dry-run"],
            "--gen_kwargs presence_penalty is 0.5, and --model hf does not sample by it: leave it out, or choose",
        ),
        (["grid", *HF, "--gen_kwargs", "presence_penalty=0", "--dry-run"], "--model hf does not sample by it"),
        ([*RUN, "--profile", "mine"], "Unknown profile 'mine': choose one of default, zheng, rlef"),
        ([*RUN, "--prompts", "nowhere"], "The prompt folder 'nowhere' does not exist"),
        ([*RUN, "--samples", '{"x": [1]}'], "--samples names the task 'x', which --tasks does not"),
        ([*RUN, "--config", "none.yaml"], "The configuration 'none.yaml' cannot be read"),
        ([*RUN, "--config", "bad.yaml"], "'bad.yaml' has the unknown option 'wrong'"),
        (["judge", "nowhere"], "'nowhere' is no run folder, since it holds no run.json"),
        (["judge", ".", "-o", "o", "--time-factor", "-1"], "--time-factor is -1: give a number above 0"),
        (["score", "nowhere"], "'nowhere' is no run folder and holds none"),
        (["score", ".", "--by", "model"], "--by is 'model': choose one of task, difficulty, turns"),
        (["score", ".", "--format", "html"], "--format is 'html': choose one of text, github, latex, csv, json"),
        (["export", "nowhere", "--format", "csv", "-o", "o"], "'nowhere' is no run folder"),
        (["import", "none.csv", "--format", "csv", "-o", "o"], "The file 'none.csv' does not exist"),
        (["import", "right.py", "--format", "csv", "-o", "o"], "right.py is no table of turnwise, since it lacks"),
        (["import", "right.py", "--format", "xml", "-o", "o"], "--format is 'xml': choose one of lm-eval, evalplus"),
        ([*RUN, "--metadata", '{"feedback": "kind"}'], "Unknown feedback 'kind': choose one of binary"),
        ([*RUN[:-1], "right.py/sub"], "The output 'right.py/sub' cannot be written"),
        ([*RUN[:-1], "runs"], "The output 'runs' is a folder of runs ('one' is one): give --output_path"),
        (["grid", *RUN[1:-1], "runs/one"], "The output 'runs/one' is a run, and holds no others"),
        (["grid", *RUN[1:], "--max-turns", "0"], "--max-turns has the value '0': give numbers from 1 on"),
        (["demo", "-o", "runs/one"], "The output 'runs/one' is a run, and holds no others"),
        ([*RUN, "--incorrect-programs", "right.py"], "--incorrect-programs 'right.py' serves the feedback random, and"),
        ([*RUN, "--calibrate", "8"], "--calibrate is 8, which --dry-run alone takes: add --dry-run, or leave it out."),
        ([*RUN, "--throughput", "2.5e3"], "--throughput is 2500, which --dry-run alone takes"),
        (["sample", *RUN[1:], "--gpus", "4"], "--gpus is 4, which --dry-run alone takes"),
        (["grid", *RUN[1:], "--incorrect-programs", "right.py"], "--incorrect-programs 'right.py' serves the feedback"),
        (["tasks", "nothing*"], "Unknown task 'nothing*'"),
        (["tasks", "--data-dir", "nowhere"], "data directory 'nowhere' does not exist"),
        (["tasks", "--data-dir", "right.py"], "data directory 'right.py' is no folder"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(files: Path, arguments: list[str], message: str) -> None:
    """The thing, the value and the remedy; no traceback, nothing on standard output, nothing written."""
    (files / "bad.json").write_text('{"public": [{"input": "1"}]}')
    (files / "bad.yaml").write_text("wrong: 1")
    (files / "list.json").write_text("[]")
    (files / "runs" / "one").mkdir(parents=True)
    (files / "runs" / "one" / "run.json").write_text("{}")
    (files / "none_in.json").write_text('{"public": []}')
    (files / "limit.json").write_text(json.dumps({**TESTS, "time_limit_seconds": -1}))
    done = _turnwise(*arguments, cwd=files)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    lines = done.stderr.splitlines()  # before the error there may be advice on a slow machine
    assert message in lines[-1] and all(line.startswith("turnwise: ") for line in lines), done.stderr
    assert not (files / "o").exists()


def test_tasks_counts_what_is_here(tmp_path: Path) -> None:
    """The sample is always here; other data is a note until it is given."""
    shown = _turnwise("tasks", "sample_*_multiturn,codecontests_multiturn")
    assert shown.returncode == 0
    rows = {line.split()[0]: line.split() for line in shown.stdout.splitlines() if "_multiturn " in line}
    assert rows["sample_codecontests_multiturn"][3:6] == ["3", "4", "4"]
    assert rows["codecontests_multiturn"][4] == "-" and "--data-dir" in shown.stdout
    document = json.loads(_turnwise("tasks", "sample_taco_singleturn", "--json").stdout)
    assert (document[0]["problems"], document[0]["max_turns"]) == (4, 1)


def test_run_replays_answers_to_a_table(tmp_path: Path) -> None:
    """From a file of answers to a table; running the same line again gives the same table."""
    answers = _ANSWERS.with_name("repairing.jsonl")
    command = ["run", "--model", "replay", "--model_args", f"path={answers}", "--tasks", "sample_mbpp_plus_multiturn"]
    command += ["--output_path", str(tmp_path / "run"), "--metadata", '{"samples_per_problem": 2}']
    first, second = _turnwise(*command), _turnwise(*command)
    assert first.returncode == 0, first.stderr
    row = "repairing sample_mbpp_plus_multiturn 3 of 3 6 0.0 +39.0 83.3 +16.7 -71.2 100.0 -39.0 100.0 -39.0 100.0"
    assert row in " ".join(first.stdout.split())
    assert second.stdout == first.stdout
    scores = json.loads((tmp_path / "run" / "scores.json").read_text())
    estimates = scores["tasks"][0]["estimates"]
    assert [one["metric"] for one in estimates if one["turns"] == 3] == ["1@3", "pass@1", "pass@2"]
    frozen = json.loads((tmp_path / "run" / "run.json").read_text())
    assert frozen["command"].startswith("turnwise run --model replay")
    other = _turnwise(*command, "--seed", "9")
    assert (other.returncode, "holds another run (settings seed: 0 there, 9 here)" in other.stderr) == (2, True)


def test_a_damaged_run_folder_is_named(files: Path) -> None:
    """A run.json that is cut off is no run to go on with."""
    (files / "o").mkdir()
    (files / "o" / "run.json").write_text('{"format": 1')
    done = _turnwise(*RUN, cwd=files)
    said = done.stderr.splitlines()[-1]
    assert done.returncode == 2
    assert said.startswith("turnwise: 'o/run.json' cannot be read (it is cut off or no JSON"), said


def test_settings_of_a_run_can_be_chosen(files: Path) -> None:
    """Turn limit, feedback and extraction stand in the table's settings and in run.json."""
    settings = {"max_turns": 2, "feedback": "binary", "extraction": "first"}
    done = _turnwise(*RUN, "--metadata", json.dumps(settings), cwd=files)
    assert done.returncode == 0, done.stderr
    assert "at most 2 turns with binary feedback" in done.stdout and "1@3" not in done.stdout
    frozen = json.loads((files / "o" / "run.json").read_text())
    assert settings.items() <= frozen["settings"].items()
    assert frozen["tasks"][0]["max_turns"] == 2


def test_prompts_and_strategies_of_a_run_can_be_chosen(files: Path) -> None:
    """They stand in the settings and in run.json, and decide what is asked; an unknown one is refused before."""
    (files / "mine.yaml").write_text("turns:\n  - reasoning: difficulty\n  - feedback: ldb\n")
    chosen = {
        "a": (
            ["--reasoning", "explain_io", "--instruction", "docstrings"],
            "reasoning explain_io, instruction docstrings",
        ),
        "b": (
            ["--strategy", "cot_retry", "--feedback", "binary"],
            "with binary feedback, samples per problem: 1, strategy",
        ),
        "c": (
            ["--strategy", "mine.yaml"],
            "at most 2 turns with its own feedback, samples per problem: 1, strategy mine",
        ),
    }
    for folder, (options, said) in chosen.items():
        done = _turnwise(*RUN[:-1], folder, *options, cwd=files)
        assert done.returncode == 0 and said in done.stdout, (done.stdout, done.stderr)
    frozen = json.loads((files / "c" / "run.json").read_text())
    assert frozen["tasks"][0]["strategy"] == "mine" and frozen["settings"]["turns"][1]["feedback"] == "ldb"
    (shard,) = (files / "a").glob("trajectories/*/*.jsonl")
    first = json.loads(shard.read_text().splitlines()[0])["turns"][0]["calls"]
    assert [[one["prompt_id"] for one in call["messages"]] for call in first] == [
        ["statement", "reasoning/explain_io"],
        ["instruction/docstrings", "format_guide"],
    ]
    refused = _turnwise(*RUN[:-1], "d", "--reasoning", "magic", cwd=files)
    assert refused.returncode == 2 and "no reasoning 'magic'" in refused.stderr and not (files / "d").exists()


def test_sampling_judging_and_scoring_are_what_run_does(files: Path) -> None:
    """One by one they make the same files and the same table; scoring before judging says what is missing."""
    whole = _turnwise(*RUN, cwd=files)
    parts = [_turnwise("sample", *RUN[1:-1], "p", cwd=files)]
    assert parts[0].stdout == "Sampled: p; next: turnwise judge p\n", parts[0].stderr
    parts.append(_turnwise("score", "p", cwd=files))
    assert "not judged" in parts[1].stdout and "turnwise judge p" in parts[1].stdout
    parts.append(_turnwise("judge", "p", cwd=files))
    parts.append(_turnwise("score", "p", cwd=files))
    assert [part.returncode for part in parts] == [0] * 4
    assert parts[-1].stdout == whole.stdout.replace("o/scores.json", "p/scores.json")
    shards = [path.read_bytes() for name in "op" for path in (files / name).glob("trajectories/*/*.jsonl")]
    assert len(shards) == 2 and shards[0] == shards[1]


def test_options_can_stand_in_a_file(files: Path) -> None:
    """What is typed goes before the file; lists and mappings are written as yaml has them."""
    config = {
        "model": "replay",
        "model_args": {"path": str(_ANSWERS)},
        "tasks": ["sample_mbpp_plus_multiturn"],
        "metadata": {"max_turns": 2},
        "seed": 3,
        "output_path": "o",
    }
    (files / "run.yaml").write_text(json.dumps(config))  # JSON is yaml
    done = _turnwise("run", "-C", "run.yaml", "--seed", "4", cwd=files)
    assert done.returncode == 0, done.stderr
    settings = json.loads((files / "o" / "run.json").read_text())["settings"]
    assert (settings["seed"], settings["max_turns"]) == (4, 2)


def test_prompts_of_ones_own_are_used_and_recorded(files: Path) -> None:
    """The set's name and hashes stand in run.json, its words in the dialogue."""
    prompts = files / "mine"
    shutil.copytree(_ANSWERS.parents[3] / "tasks" / "prompts" / "turnwise-2", prompts)
    (prompts / "format_guide.j2").write_text("Fence it, please.")
    done = _turnwise(*RUN, "--prompts", prompts, "--system_instruction", "Be brief.", cwd=files)
    assert done.returncode == 0, done.stderr
    assert json.loads((files / "o" / "run.json").read_text())["prompts"]["set"] == "mine"
    (shard,) = (files / "o").glob("trajectories/*/*.jsonl")
    messages = json.loads(shard.read_text().splitlines()[0])["turns"][0]["calls"][0]["messages"]
    assert [messages[0]["content"], messages[-1]["content"]] == ["Be brief.", "Fence it, please."]


def test_one_missing_answer_costs_its_dialogue_only(files: Path) -> None:
    """It is named as missing with bounds; the others have their scores."""
    lines = _ANSWERS.read_text().splitlines(keepends=True)
    rows = [line for line in lines if json.loads(line)["benchmark"] == "sample_mbpp_plus"]
    gone = json.loads(rows[0])["task_id"]
    (files / "fewer.jsonl").write_text("".join(row for row in rows if json.loads(row)["task_id"] != gone))
    done = _turnwise(*[word.replace(str(_ANSWERS), "fewer.jsonl") for word in RUN], cwd=files)
    assert done.returncode == 0, done.stderr
    assert "1 of 3 dialogues are missing (1 request failed), which is not counted as wrong" in done.stdout
    assert f"{gone} has 0 recorded answers" in done.stdout and "100.0*" in done.stdout


def test_two_runs_are_compared_and_their_noise_is_told(files: Path) -> None:
    """As text and as one JSON document; a plan needs no run; what is wrong is one sentence with exit status 2."""
    assert _turnwise(*RUN, cwd=files).returncode == 0
    compared = _turnwise("compare", "o", "o", cwd=files)
    assert compared.returncode == 0, compared.stderr
    assert "B - A" in compared.stdout and "+0.0" in compared.stdout
    document = json.loads(_turnwise("compare", "o", "o", "--interval", "samples", "--json", cwd=files).stdout)
    assert document["over"] == "samples" and set(document["tasks"]) == {"sample_mbpp_plus_multiturn"}
    assert "detect: problems" in _turnwise("noise", "o", cwd=files).stdout
    assert "pass@10" in _turnwise("noise", "--problems", "20", "--samples", "10", cwd=files).stdout
    shown = _turnwise("score", "o", "--interval", "problems", cwd=files)
    assert "95 % intervals: " in shown.stdout and "over problems" in shown.stdout
    for arguments in (["noise"], ["compare", "o", "none"], ["score", "o", "--interval", "x"]):
        done = _turnwise(*arguments, cwd=files)
        assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (2, "", False), done.stderr
