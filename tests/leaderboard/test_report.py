"""The report: what to do about gaps, the settings of each run, scores.json, the tables beside it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import find_runs, read_runs
from turnwise.leaderboard.report import LEGEND, render_report, score_runs, write_report
from turnwise.leaderboard.scores import estimate_document
from turnwise.records.choices import By
from turnwise.records.codec import to_json
from turnwise.records.judgement import Judgement
from turnwise.records.report import Verdict
from turnwise.records.settings import RunSettings, Sampling
from turnwise.records.trajectory import End, Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]
WriteSmallRun = Callable[..., Path]


def test_scores_json_holds_all_a_number_rests_on(small_run: WriteSmallRun) -> None:
    """Estimates with bounds, counts of problems, dialogues, ends, verdicts and gaps, costs, every setting."""
    path = small_run("run", command="turnwise run --model replay")
    scored = score_runs(read_runs([path]))
    write_report(path, scored)
    data = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    record = scored[0].run.record
    (task,) = data["tasks"]
    estimates = task.pop("estimates")
    assert (data["format"], task) == (
        1,
        {
            "model": {"back_end": "planned", "model": "m"},
            "task": "t",
            "run": "run",
            "command": "turnwise run --model replay",
            "turnwise": "0",
            "settings": to_json(record.settings),
            "judge": {**to_json(record.judge), "tiers": ["none"]},
            "prompts": {"set": "turnwise-1", "hashes": {}},
            "benchmark": "b",
            "split": "test",
            "data_sha256": "0" * 64,
            "strategy": "multi_turn",
            "max_turns": 3,
            "problems": {"loaded": 2, "asked": 1, "left_out": 1},
            "dialogues": 2,
            "missing": {},
            "ends": {"context_overflow": 1, "public_passed": 1},
            "verdicts": {"passed": 1, "wrong_answer": 1},
            "costs": {
                "model_calls": 3,
                "prompt_tokens": 28,
                "completion_tokens": 12,
                "judge_cpu_seconds": 0.5,
                "cut_replies": 0,
            },
        },
    )
    assert estimates == [estimate_document(one) for one in scored[0].estimates]
    assert {
        "group": "all",
        "metric": "1@3",
        "turns": 3,
        "value": 0.5,
        "counted": 1,
        "asked": 1,
        "lower_bound": 0.5,
        "upper_bound": 0.5,
    } in [{name: value for name, value in one.items() if name != "intervals"} for one in estimates]


def test_every_interval_has_the_name_of_its_method(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """Over samples, problems and contests, where there is one to be had; the same bytes the second time."""
    names = ("codecontests/1_A", "codecontests/1_B", "codecontests/2_A", "codecontests/3_A")
    solved = [dialogue("pass", problem=name) for name in names[:2]]
    rest = [dialogue("fail", problem=name, sample=number) for name in names for number in (0, 1)]
    path = write_run(
        tmp_path / "run",
        [*solved, *rest[1::2], *rest[4::2]],
        [judge(one) for one in solved],
        tasks={"t": 1},
        problems=names,
        settings=RunSettings(samples_per_problem=2),
    )
    write_report(path, score_runs(read_runs([path])))
    (task,) = json.loads((path / "scores.json").read_text())["tasks"]
    found = {one["metric"]: one["intervals"] for one in task["estimates"]}
    assert {over: one["method"] for over, one in found["pass@1"].items()} == {
        "samples": "jackknife and Wilson over samples",
        "problems": "BCa and Wilson over problems",
        "contests": "BCa and Wilson over contests",
    }
    assert set(found["pass@2"]) == {"problems", "contests"}
    assert all(one["lower"] <= 0.25 <= one["upper"] and one["level"] == 0.95 for one in found["pass@1"].values())


def test_gaps_are_counted_in_scores_json(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue) -> None:
    """An estimate that rests on nothing is null there, never 0."""
    path = write_run(tmp_path / "run", [dialogue("pass")], settings=RunSettings(samples_per_problem=2))
    write_report(path, score_runs(read_runs([path])))
    (task,) = json.loads((path / "scores.json").read_text())["tasks"]
    assert task["missing"] == {"not_judged": 1, "not_sampled": 1}
    assert {one["value"] for one in task["estimates"]} == {None}


def test_scoring_twice_writes_the_same_bytes(small_run: WriteSmallRun) -> None:
    """Nothing of the time or the machine is in the report, and nothing but the report is written."""
    path = small_run("run")
    before = {file for file in path.rglob("*") if file.is_file()}
    contents = []
    for _ in range(2):
        write_report(path, score_runs(read_runs([path])))
        written = sorted({file for file in path.rglob("*") if file.is_file()} - before)
        contents.append([(str(file.relative_to(path)), file.read_bytes()) for file in written])
    assert contents[0] == contents[1]
    assert [name for name, _ in contents[0]] == [
        "scores.json",
        "tables/by_difficulty.txt",
        "tables/by_task.txt",
        "tables/by_turns.txt",
    ]


def test_each_table_file_is_the_report_in_its_order(small_run: WriteSmallRun) -> None:
    """What a person reads on the screen stands in the folder."""
    path = small_run("run")
    scored = score_runs(read_runs([path]))
    write_report(path, scored)
    for by in By:
        assert (path / "tables" / f"by_{by}.txt").read_text() == render_report(scored, by=by) + "\n"


def test_a_report_says_what_it_means_and_rests_on(small_run: WriteSmallRun) -> None:
    """The table, the legend, then the settings in one sentence."""
    settings = {"sampling": Sampling(temperature=0.2, max_tokens=512, stop=("END",)), "prefill": True, "seed": 7}
    lines = render_report(score_runs(read_runs([small_run("run", settings=settings)]))).splitlines()
    assert lines[-3:] == [
        "",
        LEGEND,
        "Settings: profile default, at most 3 turns with failed_tests feedback, samples per problem: 2, seed 7, "
        "temperature 0.2, max_tokens 512, stop ['END'], extraction last_program 1, prefilled, prompts turnwise-1, "
        "matcher tokens, answers equality, tests all, time factor 1, CPython 3.11, executor planned 1 "
        "(isolation: none).",
    ]


def test_one_turn_has_no_feedback_to_name(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue) -> None:
    """A single-turn task says so."""
    path = write_run(tmp_path / "run", [dialogue("fail")], tasks={"t": 1})
    assert "Settings: profile default, one turn, samples per problem: 1," in render_report(
        score_runs(read_runs([path]))
    )


def test_runs_with_equal_settings_share_their_sentence(small_run: WriteSmallRun) -> None:
    """Of three runs two differ from the third; each sentence names its runs and tasks."""
    paths = [small_run(name, model=name, settings={"seed": seed}) for name, seed in (("a", 0), ("b", 1), ("c", 0))]
    sentences = render_report(score_runs(read_runs(paths))).partition(LEGEND + "\n")[2].splitlines()
    assert [sentence.partition(": profile default, ")[0] for sentence in sentences] == [
        "Settings of a, t; c, t",
        "Settings of b, t",
    ]
    assert [f"seed {seed}," in sentence for seed, sentence in enumerate(sentences)] == [True, True]
    assert "\nSettings: profile" in render_report(score_runs(read_runs([paths[0], paths[2]])))


def test_unjudged_programs_come_with_the_command_that_judges_them(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """Nothing is said of running again, since everything is sampled."""
    path = write_run(tmp_path / "run", [dialogue("pass")])
    report = render_report(score_runs(read_runs([path])))
    assert f"\n{path} holds programs that are not judged yet: turnwise judge {path}\n" in report
    assert "lacks dialogues" not in report


def test_unfinished_sampling_comes_with_the_way_to_go_on(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """Not sampled, or spoiled by the machine: the same command goes on."""
    spoiled = dialogue("fail", end=End.INFRASTRUCTURE_FAILURE)
    paths = [write_run(tmp_path / "none", [], model="n"), write_run(tmp_path / "spoiled", [spoiled], model="s")]
    for path in paths:
        assert render_report(score_runs(read_runs([path]))).splitlines()[-2] == (
            f"{path} lacks dialogues: its command ({path}/run.json), run again, asks for them."
        )
    assert sum("lacks dialogues" in line for line in render_report(score_runs(read_runs(paths))).splitlines()) == 2


def test_a_folder_whose_name_is_not_utf_8_is_scored(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """Its bytes stand escaped in the documents."""
    path = write_run(tmp_path / os.fsdecode(b"l\xe4ufe"), [dialogue("fail", end=End.REQUEST_FAILED)])
    write_report(path, score_runs(read_runs([path])))
    assert json.loads((path / "scores.json").read_text())["tasks"][0]["run"] == "l\udce4ufe"
    assert "l\\udce4ufe lacks dialogues" in (path / "tables" / "by_task.txt").read_text()


def test_a_copy_judged_anew_is_not_completed_by_its_command(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """That command writes into the run that was copied."""
    path = write_run(tmp_path / "copy", [dialogue("fail", end=End.REQUEST_FAILED)])
    record = json.loads((path / "run.json").read_text())
    record["judge"]["judged_anew"] = True
    (path / "run.json").write_text(json.dumps(record))
    report = render_report(score_runs(read_runs([path])))
    assert f"\n{path} lacks dialogues: complete the run that it is a copy of, and judge that anew" in report


def test_runs_that_differ_in_what_was_asked_have_settings_of_their_own(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue
) -> None:
    """A system message or a limit is named; models of one name are told apart by their folders."""
    paths = [
        write_run(tmp_path / name / "run", [dialogue("fail", "fail", "fail")], settings=settings)
        for name, settings in (("x", RunSettings(system_instruction="Be brief.")), ("y", RunSettings(limit=1.0)))
    ]
    report = render_report(score_runs(read_runs(paths)))
    assert f"Settings of m ({paths[0]}), t: " in report and "system_instruction 'Be brief.'" in report
    assert f"Settings of m ({paths[1]}), t: " in report and "limit 1.0" in report


def test_a_whole_run_needs_no_remedy(small_run: WriteSmallRun) -> None:
    """After the legend there is nothing but the settings."""
    after = render_report(score_runs(read_runs([small_run("run")]))).partition(LEGEND + "\n")[2]
    assert after.startswith("Settings: ") and "\n" not in after


def test_more_n_at_k_stand_beside_those_of_the_run(small_run: WriteSmallRun) -> None:
    """Asked for twice is shown once; what the samples cannot support is refused with all numbers."""
    path = small_run("run")
    (scored,) = score_runs(read_runs([path]), n_at_k=["1@3", "2@6", " 2@6 "])
    header = render_report([scored]).splitlines()[0].split()
    assert [name for name in header if "@" in name] == ["1@1", "1@2", "1@3", "2@6", "pass@1", "pass@2"]
    (estimate,) = (one for one in scored.estimates if (one.metric, one.turns) == ("2@6", 3))
    assert estimate.value == 1.0
    with pytest.raises(TurnwiseError, match=r"n_at_k 2@9 draws 3 dialogues of 3 turns .* is 2: give at least 3"):
        score_runs(read_runs([path]), n_at_k=["2@9"])


def test_runs_are_found_at_a_path_or_directly_in_it(small_run: WriteSmallRun, tmp_path: Path) -> None:
    """In the order of their names; a run is not searched for more, and other files are passed over."""
    b, a = small_run("all/b"), small_run("all/a")
    small_run("all/a/inner")
    (tmp_path / "all" / "notes.txt").write_text("none")
    assert find_runs(tmp_path / "all") == [a, b]
    assert find_runs(b) == [b]


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_where_no_run_is_the_path_is_named(tmp_path: Path, kind: str) -> None:
    """A folder that is not there, an empty one, a file: one sentence."""
    path = tmp_path / kind
    if kind == "empty":
        path.mkdir()
    if kind == "file":
        path.write_text("no run")
    with pytest.raises(TurnwiseError) as caught:
        find_runs(path)
    assert str(caught.value) == (
        f"{str(path)!r} is no run folder and holds none: name a folder that turnwise run or turnwise sample wrote, "
        "or lm_eval's --output_path."
    )


def test_a_damaged_run_is_named_by_its_file(small_run: WriteSmallRun) -> None:
    """The score of the others is not shown either."""
    whole, damaged = small_run("whole"), small_run("damaged")
    (damaged / "run.json").write_text("{")
    with pytest.raises(TurnwiseError, match=r"damaged/run\.json' cannot be read"):
        score_runs(read_runs([whole, damaged]))


def test_a_folder_of_runs_gets_a_report_of_all(small_run: WriteSmallRun, tmp_path: Path) -> None:
    """Each run keeps its own, and the folder above compares them."""
    for name in ("a", "b"):
        small_run(f"all/{name}", model=name)
    said = score_command([tmp_path / "all"])
    counts = {}
    for place in ("all", "all/a", "all/b"):
        tasks = json.loads((tmp_path / place / "scores.json").read_text())["tasks"]
        counts[place] = [task["model"]["model"] for task in tasks]
    assert counts == {"all": ["a", "b"], "all/a": ["a"], "all/b": ["b"]}
    assert said.startswith((tmp_path / "all" / "tables" / "by_task.txt").read_text().rstrip("\n"))
    assert said.endswith(f"\nWritten: {tmp_path / 'all' / 'scores.json'} and tables/ beside it.")


def test_the_score_command_takes_any_number_of_paths(small_run: WriteSmallRun) -> None:
    """One table of all; n@k are separated by commas, empty parts are passed over."""
    paths = [small_run(name, model=name) for name in ("a", "b")]
    said = score_command(paths, by="turns", n_at_k="2@6,")
    rows = [line.split()[:3] for line in said.splitlines()[2:8]]
    assert rows == [[model, "t", turns] for model in "ab" for turns in "123"]
    assert "2@6" in said.splitlines()[0]


@pytest.mark.parametrize("by", ["", "model", "TASK"])
def test_an_unknown_order_is_refused(small_run: WriteSmallRun, by: str) -> None:
    """Before anything is read or written."""
    path = small_run("run")
    with pytest.raises(TurnwiseError) as caught:
        score_command([path], by=by)
    assert str(caught.value) == f"--by is {by!r}: choose one of task, difficulty, turns."
    assert not (path / "scores.json").exists()


def test_a_verdict_of_the_hidden_tests_is_counted(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """The submission's verdict is the judgement's, not that of the public tests."""
    wrong = dialogue("pass")
    path = write_run(tmp_path / "run", [wrong], [judge(wrong, 0, Verdict.TIME_LIMIT, public_passed=True)])
    write_report(path, score_runs(read_runs([path])))
    (task,) = json.loads((path / "scores.json").read_text())["tasks"]
    assert task["verdicts"] == {"time_limit": 1}
