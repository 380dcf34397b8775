"""Run folders of others: whatever is in one, nothing outside is read or written, and each command says one sentence."""

import contextlib
import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnwise.commands.collect import collect_command
from turnwise.commands.compare import compare_command
from turnwise.commands.exchange import export_command, import_command
from turnwise.commands.noise import noise_command
from turnwise.commands.options import SubmitOptions
from turnwise.commands.plot import plot_command
from turnwise.commands.publish import publish_command
from turnwise.commands.score import score_command
from turnwise.commands.status import status_command
from turnwise.commands.submit import resume_command, submit_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.imported import Options
from turnwise.exchange.runs import find_runs
from turnwise.records.choices import BackEndName, ClusterKind, Style
from turnwise.records.codec import to_json, to_line
from turnwise.records.run_folder import RunFolder, digest_file, digest_line
from turnwise.records.settings import EQUALITY, JudgeSettings
from turnwise.runners.execution.reference import ReferenceExecutor
from turnwise.runners.judging_step import copy_for_judge
from turnwise.runners.loading import Machine
from turnwise.runners.work import Work
from turnwise.slurm.profile import ClusterProfile
from turnwise.slurm.shards import merge_run
from turnwise.slurm.submission import SubmissionRecord

SECRET = "the secret of another folder"
Command = Callable[[Path, Path], object]


def _judge_anew(run: Path, out: Path) -> None:
    machine = Machine(ReferenceExecutor(), cache_dir=out / "cache")
    copy_for_judge(RunFolder(run), out / "copy", machine, JudgeSettings(answers=EQUALITY, tests="all"), ())


def _open_work(run: Path, out: Path) -> None:
    folder = RunFolder(run)
    with Work(folder, folder.record, Machine(ReferenceExecutor(), cache_dir=out / "cache"), step="judge"):
        pass


COMMANDS: dict[str, Command] = {
    "score": lambda run, _: score_command([run]),
    "publish": lambda run, out: publish_command([run], out / "page", environ={}, allow_missing=True),
    "compare": lambda run, _: compare_command([run, run]),
    "plot": lambda run, out: plot_command([run], out / "plot.json", chart="failures"),
    "csv": lambda run, out: export_command([run], "csv", out / "run.csv", allow_missing=True),
    "lm-eval": lambda run, out: export_command([run], "lm-eval", out / "lm", allow_missing=True),
    "evalplus": lambda run, out: export_command([run], "evalplus", out / "run.jsonl", allow_missing=True),
    "livecodebench": lambda run, out: export_command([run], "livecodebench", out / "run.json", allow_missing=True),
    "noise": lambda run, _: noise_command(run, None),
    "merge": lambda run, _: merge_run(RunFolder(run)),
    "judge": _open_work,
    "judge -o": _judge_anew,
}
ON_CLUSTERS: dict[str, Command] = {
    "status": lambda run, _: status_command(run),
    "collect": lambda run, _: collect_command(run, environ={}),
    "resume": lambda run, _: _resume(run),
}


def _resume(run: Path) -> str:
    with contextlib.chdir(run):  # it enters the folder that the submission names
        return resume_command(run, environ={})


def _submit_on(run: Path, out: Path) -> str:
    answers = out / "answers.jsonl"
    answers.write_text('{"task_id": "Sample/0", "solution": "x"}')
    options = replace(_submitted(run), model_args=f"path={answers}", force=True)
    return submit_command(options, environ={"TURNWISE_CACHE": str(out / "cache")}, arguments=[])


def _submitted(run: Path) -> SubmitOptions:
    return SubmitOptions(
        model=BackEndName.REPLAY,
        model_args="path=x",
        tasks="sample_humaneval_plus_singleturn",
        output_path=run,
        workers=1,
        cluster=ClusterKind.DEBUG,
    )


def _import(files: list[Path], form: str, out: Path) -> str:
    options = Options(form, allow_missing=True)
    return import_command(files, options, out / "imported", environ={}, arguments=[])


@pytest.fixture
def run(small_run: Callable[..., Path], tmp_path: Path) -> Path:
    """A sound run, with digests; beside it a folder that is nobody's business."""
    path = small_run("run")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.jsonl").write_text(SECRET)
    folder = RunFolder(path)
    for shard in folder.shards:
        file = folder.shard_file(shard)
        digest_file(file).write_text(digest_line(file, file.read_bytes()))
    return path


def _submit(run: Path) -> None:
    """Add the files of a submission, as ``turnwise submit`` leaves them."""
    submission = run / "cluster" / "submissions" / "0001"
    submission.mkdir(parents=True)
    options = to_json(replace(_submitted(run), cluster=ClusterKind.LOCAL))
    record = SubmissionRecord(options, ClusterProfile(), code="0", folder=".", workers=1, submitted=0.0)
    (submission / "submission.json").write_text(to_line(record))
    (submission / "shards.jsonl").write_text('["t", 0]\n')
    (run / "cluster" / "events").mkdir()
    (run / "cluster" / "events" / "0001-sample-0000.jsonl").write_text(
        '{"time": 1.0, "event": "start", "job": "1", "node": "n", "gpus": 1}\n'
        '{"time": 2.0, "event": "claim", "task": "t", "shard": 0, "attempt": 1}\n'
        '{"time": 3.0, "event": "crash", "status": 1, "shards": [["t", 0]], "log": ["x"]}\n'
    )
    claims = run / "cluster" / "claims" / "sample" / "t"
    claims.mkdir(parents=True)
    (claims / "00000.1").write_text('{"worker": "0001-sample-0000", "time": 1.0}')


def _said(command: Command, run: Path, out: Path) -> str:
    """Return what a command says; its error is one bounded sentence, and nothing else is raised."""
    out.mkdir(exist_ok=True)
    try:
        return str(command(run, out))
    except TurnwiseError as error:
        message = str(error)
        assert "\n" not in message and len(message) < 3000
        return f"error: {message}"
    except OSError as error:  # the command line says it in a sentence
        return f"error: {error.strerror}"


def _outside(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _rename_task(run: Path, name: str) -> None:
    for path in (run / "run.json", run / "shards.jsonl", *run.rglob("0*.jsonl"), *run.glob("verdicts/*")):
        text = path.read_text().replace('"task":"t"', f'"task":{json.dumps(name)}')
        path.write_text(text.replace('"task": "t"', f'"task": {json.dumps(name)}'))


@pytest.mark.parametrize(
    "name", ["../outside", "/etc", "a/b", "..", ".", "", "a\0b", "a\nb", "\x1b[2J", "a" * 300, "é"]
)
def test_a_task_named_like_a_path_is_refused_by_every_command(run: Path, tmp_path: Path, name: str) -> None:
    """Before anything is read or written under that name."""
    (run / "trajectories" / "t").rename(tmp_path / "outside" / "t")
    _rename_task(run, name)
    before = _outside(tmp_path / "outside")
    for command in [*COMMANDS.values(), *([_submit_on] if name == "../outside" else [])]:
        assert "is no name of a task" in _said(command, run, tmp_path / "out")
    assert _outside(tmp_path / "outside") == before


def _link(path: Path, target: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


LINKS = {
    "run.json": "secret.jsonl",
    "shards.jsonl": "secret.jsonl",
    "trajectories": ".",
    "trajectories/t": ".",
    "trajectories/t/00000.jsonl": "secret.jsonl",
    "trajectories/t/00000.sha256": "secret.jsonl",
    "verdicts": ".",
    "verdicts/main.jsonl": "secret.jsonl",
    "verdicts/other.jsonl": "nowhere",
}
WRITTEN = {
    "costs": "judge",
    "costs/main.jsonl": "judge",
    "tables": "score",
    "merged": "merge",
    "tables/by_task.txt": "score",
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_among_its_files_is_refused(run: Path, tmp_path: Path, name: str) -> None:
    """One sentence names it; what it leads to is neither read nor changed."""
    _link(run / name, tmp_path / "outside" / LINKS[name])
    before = _outside(tmp_path / "outside")
    for called, command in COMMANDS.items():
        said = _said(command, run, tmp_path / "out")
        assert SECRET not in said
        reads_it = called == "score" or name == "run.json" or (called != "judge" and not name.startswith("verdicts"))
        if reads_it:
            assert "is a link, and links are not followed" in said
    assert _outside(tmp_path / "outside") == before
    assert not any(SECRET.encode() in data for data in _outside(tmp_path / "out").values())


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_is_written_through_a_link(run: Path, tmp_path: Path, name: str) -> None:
    """Where a command writes beside what it reads."""
    _link(run / name, tmp_path / "outside" / ("secret.jsonl" if "." in name else "."))
    before = _outside(tmp_path / "outside")
    assert "is a link, and links are not followed" in _said(COMMANDS[WRITTEN[name]], run, tmp_path / "out")
    assert _outside(tmp_path / "outside") == before


@pytest.mark.parametrize("name", ["cluster", "cluster/events", "cluster/claims/sample/t", "cluster/submissions"])
def test_links_among_the_files_of_a_cluster_are_refused(run: Path, tmp_path: Path, name: str) -> None:
    """By status and collect."""
    _submit(run)
    _link(run / name, tmp_path / "outside")
    passed_by = {("collect", "cluster/events"), ("resume", "cluster/events"), ("resume", "cluster/claims/sample/t")}
    for command in [one for called, one in ON_CLUSTERS.items() if (called, name) not in passed_by]:
        assert "is a link, and links are not followed" in _said(command, run, tmp_path / "out")


@pytest.mark.parametrize("name", ["run.json", "cluster"])
def test_a_submission_into_links_is_refused(run: Path, tmp_path: Path, name: str) -> None:
    """Neither read nor written where they lead."""
    if name == "cluster":
        shutil.rmtree(run)
        run.mkdir()
    _link(run / name, tmp_path / "outside" / ("secret.jsonl" if name == "run.json" else "."))
    before = _outside(tmp_path / "outside")
    assert "is a link, and links are not followed" in _said(_submit_on, run, tmp_path / "out")
    assert _outside(tmp_path / "outside") == before


OPTIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "none": lambda options: options.clear(),
    "model": lambda options: options.update(model=7),
    "back end": lambda options: options.update(model="../../x"),
    "tasks": lambda options: options.update(tasks=["t"]),
    "path": lambda options: options.update(data_dir=1),
    "no path": lambda options: options.update(prompts="a\0b"),
    "setting": lambda options: options.update({"__class__": "x"}),
    "value": lambda options: options.update(seed=[]),
    "number": lambda options: options.update(time_factor=float("inf")),
    "strategy": lambda options: options.update(strategy="/etc/x.yaml"),
    "metadata": lambda options: options.update(metadata="["),
    "answers": lambda options: options.update(model_args="path=/nowhere"),
    "workers": lambda options: options.update(interpreter="/nowhere"),
}


@pytest.mark.parametrize("folder", ["a\0b", "x" * 10_000, "/nowhere"])
def test_a_folder_that_no_run_was_submitted_from_is_one_sentence(run: Path, tmp_path: Path, folder: str) -> None:
    """Whatever stands there as its name."""
    _submit(run)
    path = run / "cluster" / "submissions" / "0001" / "submission.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "folder": folder}))
    assert _said(ON_CLUSTERS["resume"], run, tmp_path / "out").startswith("error: The run was submitted from ")


def test_a_long_name_of_a_matcher_is_cut(run: Path, tmp_path: Path) -> None:
    """As every name out of a file is."""
    data = json.loads((run / "run.json").read_text())
    data["judge"]["matcher"] = "x" * 10_000
    (run / "run.json").write_text(json.dumps(data))
    said = _said(COMMANDS["judge"], run, tmp_path / "out")
    assert "Unknown matcher" in said and len(said) < 200


@pytest.mark.parametrize("name", OPTIONS)
def test_options_that_no_submission_has_are_one_sentence(run: Path, tmp_path: Path, name: str) -> None:
    """To resume; nothing is started."""
    _submit(run)
    options = to_json(_submitted(run))
    OPTIONS[name](options)
    path = run / "cluster" / "submissions" / "0001" / "submission.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "options": options}))
    assert _said(ON_CLUSTERS["resume"], run, tmp_path / "out").startswith("error: ")
    assert [one.name for one in (run / "cluster" / "submissions").iterdir()] == ["0001"]


@pytest.mark.parametrize("form", ["lm-eval", "evalplus", "livecodebench", "csv", "parquet"])
def test_no_file_of_a_run_folder_is_imported_as_another(run: Path, tmp_path: Path, form: str) -> None:
    """Each in one sentence; a folder holds files of lm-eval or none."""
    assert "holds no file of lm-eval" in _said(lambda run, out: _import([run], form, out), run, tmp_path / "out")
    for path in sorted(path for path in run.rglob("*") if path.is_file()):
        said = _said(lambda _, out, path=path: _import([path], form, out), run, tmp_path / "out")  # type: ignore[misc]  # a default in a lambda
        assert said.startswith("error: ") and SECRET not in said
    assert not (tmp_path / "out" / "imported").exists()


def test_links_in_a_folder_to_import_are_refused(run: Path, tmp_path: Path) -> None:
    """What they lead to is not read."""
    for name in ("results_2026-01-02T03-04-05.678901.json", "samples_t_2026-01-02T03-04-05.678901.jsonl"):
        folder = tmp_path / name[:7]
        _link(folder / name, tmp_path / "outside" / "secret.jsonl")
        said = _said(lambda folder, out: _import([folder], "lm-eval", out), folder, tmp_path / "out")
        assert "is a link, and links in folders are not followed" in said


@pytest.mark.parametrize("name", ["run.json", "shards.jsonl", "trajectories/t/00000.jsonl", "verdicts/main.jsonl"])
@pytest.mark.parametrize("kind", ["pipe", "giant", "folder"])
def test_a_file_that_is_none_or_has_no_end_is_one_sentence(run: Path, tmp_path: Path, name: str, kind: str) -> None:
    """Nothing waits for a pipe, and nothing is read of 10 GB that are not there."""
    path = run / name
    digest_file(path).unlink(missing_ok=True)
    if kind == "giant":
        os.truncate(path, 10**10)
    else:
        path.unlink()
        path.mkdir() if kind == "folder" else os.mkfifo(path)
    said = [_said(command, run, tmp_path / "out") for command in COMMANDS.values()]
    assert kind == "giant" or any(one.startswith("error: ") for one in said)
    if kind == "giant":
        assert "it is larger than" in said[0]


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "many_samples": lambda data: data["settings"].update(samples_per_problem=10**12),
    "no_sample": lambda data: data["settings"].update(samples_per_problem=0),
    "many_turns": lambda data: data["tasks"][0].update(max_turns=10**9),
    "no_turn": lambda data: data["tasks"][0].update(max_turns=-1),
    "no_task": lambda data: data["tasks"].clear(),
    "twice": lambda data: data["tasks"].append(data["tasks"][0]),
    "problem_twice": lambda data: data["tasks"][0]["asked"].append(data["tasks"][0]["asked"][0]),
    "metrics": lambda data: data["settings"].update(n_at_k=[7]),
    "many_metrics": lambda data: data["settings"].update(n_at_k=["1@3"] * 10**5),
    "reasoning": lambda data: data["settings"].update(reasoning=[{}]),
    "instruction": lambda data: data["settings"].update(instruction=[]),
    "matcher": lambda data: data["judge"].update(matcher=[]),
    "no_model": lambda data: data.update(model=[]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_run_json_out_of_bounds_is_one_sentence(run: Path, tmp_path: Path, name: str) -> None:
    """Numbers that no machine holds, and values of another kind."""
    data = json.loads((run / "run.json").read_text())
    CHANGES[name](data)
    (run / "run.json").write_text(json.dumps(data))
    assert _said(COMMANDS["score"], run, tmp_path / "out").startswith(
        f"error: {str(run / 'run.json')!r} cannot be read"
    )


def test_a_benchmark_that_is_unknown_here_ends_no_command_in_a_traceback(run: Path, tmp_path: Path) -> None:
    """Nor would one of a later version; what only counts programs goes on."""
    data = json.loads((run / "run.json").read_text())
    for task in data["tasks"]:
        task["benchmark"] = "of\0nobody"
    (run / "run.json").write_text(json.dumps(data))
    said = {name: _said(command, run, tmp_path / "out") for name, command in COMMANDS.items()}
    assert said["evalplus"].startswith("error: evalplus has no task "), said["evalplus"]


@pytest.mark.parametrize("text", ["[" * 10**6, "", "\0" * 100, '{"format": NaN}', "9" * 10**6, '"' + "x" * 10**7])
def test_a_run_json_of_another_form_is_one_bounded_sentence(run: Path, tmp_path: Path, text: str) -> None:
    """Deep, torn, or long."""
    (run / "run.json").write_text(text)
    assert len(_said(COMMANDS["score"], run, tmp_path / "out")) < 1000


def test_long_names_are_cut_in_tables(run: Path, tmp_path: Path) -> None:
    """A model's name of a million characters with a terminal's commands in it."""
    data = json.loads((run / "run.json").read_text())
    data["model"]["model"] = "\x1b[2J" + "m" * 10**6
    (run / "run.json").write_text(json.dumps(data))
    for name in ("score", "compare", "noise"):
        said = _said(COMMANDS[name], run, tmp_path / "out")
        assert len(said) < 20_000 and "\x1b" not in said


_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, -1, 2**63, float("nan"), float("inf"), -1.5]),
    st.text(max_size=8),
    st.sampled_from(["../x", "\0", "\ud800", "=1+1", "\x1b[2J", "x" * 5000]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def _places(data: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [place, *(one for key, value in entries for one in _places(value, (*place, key)))]


def _change(text: str, pick: random.Random, value: Any) -> str:
    """Return JSON, or a line of JSON lines, with one value replaced or removed, or the text itself torn."""
    lines = text.splitlines() or [""]
    number = pick.randrange(len(lines))
    whole = text if text.startswith("{") and len(lines) == 1 else lines[number]
    try:
        data = json.loads(whole)
        *way, last = pick.choice(_places(data)[1:])
    except (ValueError, IndexError):
        return text[: pick.randrange(len(text) + 1)]
    inner = data
    for key in way:
        inner = inner[key]
    if pick.random() < 0.2:
        del inner[last]
    else:
        inner[last] = value
    lines[number] = json.dumps(data)
    return "\n".join(lines) + "\n"


def _fuzz(run: Path, tmp_path: Path, seed: int, values: list[Any]) -> None:
    pick = random.Random(seed)
    fuzzed, out = tmp_path / "fuzzed", tmp_path / "out"
    for folder in (fuzzed, out):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(run, fuzzed)
    for value in values:
        files = sorted(
            path for path in fuzzed.rglob("*") if path.is_file() and path.suffix in (".json", ".jsonl", ".1")
        )
        path = pick.choice(files)
        path.write_text(_change(path.read_text(), pick, value))
        digest_file(path).unlink(missing_ok=True)
    before = _outside(tmp_path / "outside")
    for command in {**COMMANDS, **ON_CLUSTERS}.values():
        _said(command, fuzzed, out)
    assert _outside(tmp_path / "outside") == before
    assert find_runs(fuzzed) == [fuzzed]


_SLOW = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@_SLOW
@given(st.integers(0, 2**32), st.lists(_VALUES, min_size=1, max_size=3))
def test_changed_files_never_end_in_a_traceback(run: Path, tmp_path: Path, seed: int, values: list[Any]) -> None:
    """Any value of any file replaced or removed, any file torn: each command works or says one sentence."""
    if not (run / "cluster").exists():
        _submit(run)
    _fuzz(run, tmp_path, seed, values)


@pytest.mark.long
@settings(_SLOW, max_examples=600)
@given(st.integers(0, 2**32), st.lists(_VALUES, min_size=1, max_size=5))
def test_many_changed_files_never_end_in_a_traceback(run: Path, tmp_path: Path, seed: int, values: list[Any]) -> None:
    """The same with hundreds of folders."""
    if not (run / "cluster").exists():
        _submit(run)
    _fuzz(run, tmp_path, seed, values)


def test_documents_are_json_whatever_the_folder_holds(run: Path, tmp_path: Path) -> None:
    """NaN and Infinity in settings, costs and verdicts: what is written and printed has null in their places."""
    line = '{"step": "sample", "attempt": "1", "seconds": NaN, "judge_cpu_seconds": 1e999, "model_calls": 3}'
    (run / "costs").mkdir(exist_ok=True)
    (run / "costs" / "main.jsonl").write_text(line + "\n")
    data = json.loads((run / "run.json").read_text())
    data["settings"]["sampling"] |= {"temperature": float("inf"), "top_p": float("nan")}
    (run / "run.json").write_text(json.dumps(data))
    (verdicts,) = run.glob("verdicts/*.jsonl")
    verdicts.write_text(verdicts.read_text().replace('"cpu_seconds":', '"limit_seconds":NaN,"cpu_seconds":', 1))
    texts = [score_command([run], style=Style.JSON), compare_command([run, run], as_json=True)]
    out = tmp_path / "out"
    for name in ("plot", "publish", "lm-eval"):
        _said(COMMANDS[name], run, out)
    files = [*run.glob("scores.json"), *out.rglob("*.json"), *out.rglob("*.jsonl")]
    assert len(files) >= 4
    for text in [*texts, *(line for path in files for line in _documents(path))]:
        json.loads(text, parse_constant=pytest.fail)


def _documents(path: Path) -> list[str]:
    text = path.read_text()
    return text.splitlines() if path.suffix == ".jsonl" else [text]


def test_tokens_that_are_told_for_the_first_turn_alone_are_drawn(
    write_run: Callable[..., Path], dialogue: Callable[..., Any], tmp_path: Path
) -> None:
    """The curve by tokens ends where they are known."""
    run = write_run(tmp_path / "told", [dialogue("fail", "fail", "fail", tokens=(10, 5))])
    (shard,) = run.rglob("00000.jsonl")
    first, *others = shard.read_text().split('"prompt_tokens":10')
    shard.write_text(first + '"prompt_tokens":10' + '"prompt_tokens":null'.join(others))
    assert _said(COMMANDS["publish"], run, tmp_path / "out").startswith("Page: ")
