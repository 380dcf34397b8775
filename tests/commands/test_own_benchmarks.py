"""A benchmark of the user's own in the commands: asked like a built-in one, loaded for nobody who did not name it."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turnwise.cli.main import _finish

LINES: list[dict[str, Any]] = [
    {
        "name": "next",
        "statement": "Print the next number.",
        "public_tests": [{"input": "1\n", "output": "2\n"}],
        "hidden_tests": [{"input": "4\n", "output": "5\n"}],
    },
    {
        "name": "add",
        "statement": "Write add(a, b), which returns the sum.",
        "entry_point": "add",
        "public_tests": [{"input": [1, 2], "output": 3}],
        "hidden_tests": [{"input": [0.5, 2], "output": 2.5}],
    },
]
RIGHT = {"next": "print(int(input()) + 1)", "add": "def add(a, b):\n    return a + b"}
PYTHON = """
from pathlib import Path
from turnwise.benchmarks.benchmark import Benchmark
from turnwise.benchmarks.json_lines import parse_json_lines

Path(@PATH).touch()
BENCHMARK = Benchmark(name="toy", parse=parse_json_lines, rows=lambda split: @ROWS)
"""
Turnwise = Callable[..., tuple[int, str]]


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """What toy.py leaves where it is loaded."""
    return tmp_path / "mark"


@pytest.fixture
def turnwise(
    tmp_path: Path, mark: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Turnwise:
    """turnwise(*arguments) returns the exit status and what was printed, beside two benchmarks and answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TURNWISE_CACHE", str(cache_dir))
    Path("toy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in LINES))
    Path("toy.py").write_text(PYTHON.replace("@ROWS", repr(LINES)).replace("@PATH", repr(str(mark))))
    answers = [{"problem": f"toy/{name}", "solution": program} for name, program in RIGHT.items()]
    Path("answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))

    def run(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["turnwise", *arguments])
        status = _finish([*arguments])
        return status, "".join(capsys.readouterr())

    return run


def sampled(command: str, *more: str) -> tuple[str, ...]:
    """Return a command line that replays the answers."""
    return (command, "-M", "replay", "-a", "path=answers.jsonl", "-t", "toy_singleturn", "-o", "out", *more)


def task_of(folder: str) -> dict[str, Any]:
    """Return the one task in the run.json of ``folder``."""
    (task,) = json.loads(Path(folder, "run.json").read_text())["tasks"]
    return dict(task)


def test_every_command_that_asks_problems_takes_it(turnwise: Turnwise) -> None:
    """tasks, prompts show, check, run, sample, judge and grid; run.json holds the file's sha256."""
    own = ("--benchmark", "toy.jsonl")
    listed = turnwise("tasks", "toy_*", "--json", *own)
    assert [(one["task"], one["scorable"]) for one in json.loads(listed[1])] == [
        ("toy_multiturn", 2),
        ("toy_singleturn", 2),
    ]
    assert "Print the next number." in turnwise("prompts", "show", "-t", "toy_multiturn", *own)[1]
    Path("right.py").write_text(RIGHT["add"])
    status, said = turnwise("check", "right.py", "--problem", "toy/add", *own)
    assert status == 0 and "toy/add: passed" in said and "Hidden tests: 1 of 1 passed." in said
    status, said = turnwise(*sampled("run", *own))
    assert status == 0 and "100.0" in said
    assert task_of("out")["benchmark_sha256"] == hashlib.sha256(Path("toy.jsonl").read_bytes()).hexdigest()
    keys = {json.loads(line)["key"] for line in Path("out/verdicts/main.jsonl").read_text().splitlines()}
    assert len(keys) == 2
    assert turnwise(*sampled("sample", *own, "-o", "sampled"))[0] == 0
    status, said = turnwise("judge", "sampled")
    assert (
        status == 2
        and "names the task 'toy_singleturn', which is unknown here: give --benchmark the file of it, or its name"
        in said
    )
    assert task_of("sampled")["benchmark_sha256"][:12] in said
    assert turnwise("judge", "sampled", *own)[0] == 0
    assert {json.loads(line)["key"] for line in Path("sampled/verdicts/main.jsonl").read_text().splitlines()} == keys
    axes = ("--cells", "none+none", "--metadata", '{"feedback": "binary"}')
    Path("toy.jsonl").write_text(Path("toy.jsonl").read_text() + "\n")
    status, said = turnwise(*sampled("run", *own))
    assert status == 2 and "holds another run (tasks toy_singleturn benchmark_sha256: " in said
    assert turnwise(*sampled("grid", *own, *axes, "-o", "grid"))[0] == 0


def test_answers_of_other_tools_to_it_are_imported(turnwise: Turnwise) -> None:
    """Files that do not say of which task they are; without the benchmark its tasks are unknown."""
    entries = [{"question_id": name, "code_list": [program]} for name, program in RIGHT.items()]
    Path("custom.json").write_text(json.dumps(entries))
    line = ("import", "custom.json", "--format", "livecodebench", "-t", "toy_singleturn", "-o", "imported")
    status, said = turnwise(*line)
    assert status == 2 and "Unknown task 'toy_singleturn'" in said
    assert turnwise(*line, "--benchmark", "toy.jsonl")[0] == 0
    status, said = turnwise("judge", "imported", "-o", "judged", "--benchmark", "toy.jsonl")
    assert status == 0 and "100.0" in turnwise("score", "judged")[1]


def test_a_configuration_may_name_it(turnwise: Turnwise) -> None:
    """As the command line does."""
    Path("config.yaml").write_text("benchmark: toy.py\ntasks: toy_singleturn\n")
    status, said = turnwise("run", "--config", "config.yaml", "-M", "replay", "-a", "path=answers.jsonl", "-o", "out")
    assert (status, "100.0" in said) == (0, True)


def test_nobody_who_reads_a_run_loads_it(turnwise: Turnwise, mark: Path) -> None:
    """score, compare, publish, export, plot and status read run.json; judge asks for the file instead of taking it."""
    assert turnwise(*sampled("run", "--benchmark", "toy.py"))[0] == 0
    shutil.copytree("out", "other")
    assert mark.exists()
    mark.unlink()
    record = json.loads(Path("out/run.json").read_text())
    assert "toy.py" in record["command"]
    for arguments in (
        ("score", "out"),
        ("compare", "out", "other"),
        ("publish", "out", "other", "-o", "site"),
        ("plot", "out", "-o", "plot.svg"),
        ("export", "out", "--format", "csv", "-o", "table.csv"),
        ("export", "out", "--format", "lm-eval", "-o", "exported"),
        ("score", "exported"),
        ("import", "exported", "--format", "lm-eval", "-o", "imported"),
        ("tasks", "*"),
        ("status", "out"),
        ("judge", "out"),
    ):
        status, said = turnwise(*arguments)
        expected = 2 if arguments[0] in ("status", "judge") else 0
        assert (status, mark.exists()) == (expected, False), (arguments, said)
    digest = task_of("out")["benchmark_sha256"]
    assert any(digest in path.read_text("utf-8", "replace") for path in Path("site").rglob("*") if path.is_file())
    assert task_of("imported")["benchmark_sha256"] == digest


def test_another_version_of_it_is_refused_in_the_same_folder(turnwise: Turnwise) -> None:
    """By run and by judge, in a sentence; the verdicts of the one are not the other's."""
    name = "toy.py"
    assert turnwise(*sampled("run", "--benchmark", name))[0] == 0
    keys = Path("out/verdicts/main.jsonl").read_text()
    Path(name).write_text(Path(name).read_text() + "# changed\n")
    status, said = turnwise(*sampled("run", "--benchmark", name))
    assert status == 2 and "holds another run (tasks toy_singleturn b" in said
    status, said = turnwise("judge", "out", "--benchmark", name)
    assert status == 2 and "The benchmark of toy_singleturn is not that of the run (sha256 " in said
    assert turnwise(*sampled("run", "--benchmark", name, "-o", "anew"))[0] == 0
    assert not {*keys.splitlines()} & {*Path("anew/verdicts/main.jsonl").read_text().splitlines()}


def test_a_benchmark_that_does_not_load_ends_in_a_sentence(turnwise: Turnwise) -> None:
    """Its name, the reason, exit status 2."""
    Path("bad.py").write_text("import json\njson.loads('{')\n")
    for arguments in (("tasks", "bad_*"), sampled("run"), sampled("grid"), ("check", "toy.py", "--problem", "bad/x")):
        status, said = turnwise(*arguments, "--benchmark", "bad.py")
        assert status == 2 and "turnwise: The benchmark 'bad.py' does not load (line 2: JSONDecodeError: " in said


def test_a_submission_keeps_a_copy_of_it(turnwise: Turnwise, mark: Path) -> None:
    """Its jobs and resume take the copy, under the benchmark's name, whatever becomes of the file."""
    submit = sampled("submit", "--benchmark", "toy.py", "--cluster", "debug")
    status, said = turnwise(*submit)
    assert status == 0 and "100.0" in said
    mark.unlink()
    assert [turnwise(command, "out")[0] for command in ("status", "collect")] == [0, 0] and not mark.exists()
    (copy,) = Path("out/cluster/inputs").glob("*/toy.py")
    assert copy.read_bytes() == Path("toy.py").read_bytes()
    Path("toy.py").unlink()
    (shard,) = Path("out/trajectories/toy_singleturn").glob("*.jsonl")
    shard.unlink()
    status, said = turnwise("resume", "out")
    assert (status, mark.exists(), shard.exists()) == (0, True, True), said


def test_an_installed_one_is_asked_by_the_name_of_its_task(
    turnwise: Turnwise, mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an option; judge, which reads the name in run.json, wants it said."""
    package = tmp_path / "site" / "toys-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[turnwise.benchmarks]\ntoy = toys_of_commands:BENCHMARK\n")
    Path("toy.py").rename(package.parent / "toys_of_commands.py")
    monkeypatch.syspath_prepend(package.parent)
    assert turnwise("tasks", "*")[0] == 0 and not mark.exists()
    status, said = turnwise(*sampled("sample"))
    assert (status, mark.exists()) == (0, True), said
    source = (package.parent / "toys_of_commands.py").read_bytes()
    assert task_of("out")["benchmark_sha256"] == hashlib.sha256(source).hexdigest()
    assert turnwise("judge", "out")[0] == 2
    assert turnwise("judge", "out", "--benchmark", "toy")[0] == 0


def test_two_splits_may_give_two_problems_one_name(turnwise: Turnwise) -> None:
    """Each task asks and judges its own."""
    lines = [{**LINES[0], "name": "next", "statement": word} for word in ("Print the next.", "Print the next but one.")]
    lines[1] |= {"public_tests": [{"input": "1", "output": "3"}], "hidden_tests": [{"input": "4", "output": "6"}]}
    source = PYTHON.replace("@ROWS", f"{lines!r}[split == 'train':][:1]").replace("@PATH", "'mark'")
    source = source.replace(
        "parse=", 'splits=("test", "train"), stems=(Stem("toy"), Stem("toy_more", "train")), parse='
    )
    Path("toy.py").write_text(source.replace("import Benchmark", "import Benchmark, Stem"))
    line = sampled("run", "--benchmark", "toy.py", "--metadata", '{"own_solutions": 0}')
    status, said = turnwise(*(word.replace("toy_singleturn", "toy_more_singleturn,toy_singleturn") for word in line))
    assert status == 0, said
    verdicts = [json.loads(text) for text in Path("out/verdicts/main.jsonl").read_text().splitlines()]
    assert {one["task"]: one["verdict"] for one in verdicts} == {"toy_singleturn": "passed"}
    asked, more = (
        Path("out/trajectories", task, "00000.jsonl").read_text() for task in ("toy_singleturn", "toy_more_singleturn")
    )
    assert "next but one" in more and "next but one" not in asked
