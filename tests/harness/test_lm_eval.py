"""The real lm_eval over a server of the test: scores, logs, seeds, and how it ends when something is wrong."""

import json
import os
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest
from chat_server import ChatServer, Completion, Fault
from lm_eval_runs import EXECUTABLE, Done, command
from recorded_answers import ANSWERS, recorded, text_of, turn_of
from taco_levels import LEVELS, write_levels

from turnwise.benchmarks.catalog import load_problems
from turnwise.commands.exchange import import_command
from turnwise.commands.options import RunOptions
from turnwise.commands.run import run_command
from turnwise.exchange.imported import Options
from turnwise.exchange.runs import find_runs, read_runs
from turnwise.leaderboard.report import score_runs
from turnwise.records.choices import BackEndName
from turnwise.tasks.catalog import TASKS

pytestmark = [pytest.mark.xdist_group("lm_eval"), pytest.mark.slow]

LmEval = Callable[..., Done]
CONTESTS, CALLS = "sample_codecontests_multiturn", "sample_mbpp_plus_multiturn"
BENCHMARKS = ("sample_codecontests", "sample_mbpp_plus")
METADATA = {"samples_per_problem": 2, "n_at_k": ["1@3", "1@6"]}


@pytest.fixture(scope="module")
def chats(lm_eval: LmEval) -> Iterator[tuple[Done, ChatServer]]:
    """A run of two tasks, two samples each, over recorded answers that mostly need two turns."""
    with ChatServer(recorded("repairing", BENCHMARKS)) as server:
        done = lm_eval("--tasks", f"{CONTESTS},{CALLS}", server=server, metadata=METADATA)
        assert done.process.returncode == 0, done.said
        yield done, server


@pytest.fixture(scope="module")
def own_scores(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> dict[str, dict[str, float]]:
    """What ``turnwise run`` makes of the same answers, by task and metric."""
    output = tmp_path_factory.mktemp("own") / "run"
    options = RunOptions(
        BackEndName.REPLAY,
        f"path={ANSWERS / 'repairing.jsonl'}",
        f"{CONTESTS},{CALLS}",
        output,
        metadata=json.dumps(METADATA),
        workers=2,
    )
    run_command(options, environ={"TURNWISE_CACHE": str(cache_dir)}, arguments=[])
    scores: dict[str, dict[str, float]] = {}
    for task in json.loads((output / "scores.json").read_text())["tasks"]:
        of_task = scores.setdefault(task["task"], {})
        for one in task["estimates"]:
            if one["group"] == "all":
                of_task[f"{one['metric']} in {one['turns']}"] = one["value"]
    return scores


@pytest.mark.parametrize("task", [CONTESTS, CALLS])
def test_scores_are_those_of_turnwise_run(
    chats: tuple[Done, ChatServer], own_scores: dict[str, dict[str, float]], task: str
) -> None:
    """The same answers score the same in both, whatever the metric."""
    found, own = chats[0].metrics(task), own_scores[task]
    assert found == {
        "pass@1": own["pass@1 in 3"],
        "1@3": own["1@3 in 3"],
        "1@6": own["1@6 in 3"],
        "solved_by_turn_1": own["pass@1 in 1"],
        "solved_by_turn_2": own["pass@1 in 2"],
        "solved_by_turn_3": own["pass@1 in 3"],
        "no_code": 0.0,
        "missing": 0.0,
    }
    assert 0 < found["solved_by_turn_2"] < found["solved_by_turn_3"]


def test_standard_errors_are_those_of_the_mean_over_problems(chats: tuple[Done, ChatServer]) -> None:
    """By lm_eval's names, from the problems' values, which stand in the log."""
    done, _ = chats
    found, rows = done.results["results"][CONTESTS], done.samples(CONTESTS)
    for name in ("pass@1", "1@3", "solved_by_turn_1"):
        values = [row[name] for row in rows]
        assert found[f"{name},none"] == pytest.approx(fmean(values))
        assert found[f"{name}_stderr,none"] == pytest.approx(stdev(values) / len(values) ** 0.5)
    assert found["1@3_stderr,none"] > 0


def test_two_samples_are_asked_with_two_seeds(chats: tuple[Done, ChatServer]) -> None:
    """No two samples of a problem share a request; all problems share their seeds, so that they can be batched."""
    _, server = chats
    requests = Counter(json.dumps(body, sort_keys=True) for body in server.bodies)
    assert set(requests.values()) == {1}
    assert len({body["seed"] for body in server.bodies if turn_of(body) == 0}) == 2
    assert {type(body["seed"]) for body in server.bodies} == {int}


def test_the_log_holds_the_dialogues_and_nothing_hidden(chats: tuple[Done, ChatServer]) -> None:
    """Each sample is logged with its turns; a document names its problem, and no test is in it."""
    done, _ = chats
    rows = done.samples(CONTESTS)
    assert [set(row["doc"]) for row in rows] == [{"turnwise_schema", "problem", "difficulty", "flags"}] * 4
    assert [len(row["resps"][0]) for row in rows] == [2] * 4
    assert {len(one["turns"]) for one in done.dialogues(CONTESTS)} == {1, 2, 3}
    assert all(row["target"] == "" for row in rows)
    log = json.dumps(rows)
    for problem in load_problems("sample_codecontests").scorable:
        shown = [test.input for test in problem.public_tests]
        hidden = [test for test in problem.hidden_tests if len(test.input) > 20 and test.input not in shown]
        assert hidden and not any(json.dumps(test.input)[1:-1] in log for test in hidden)


def test_a_refused_request_ends_one_dialogue(lm_eval: LmEval) -> None:
    """One request answered 400 in turn 3 leaves one dialogue out; the rest is scored as if nothing had happened.

    A server that refuses for the length of the context ends the dialogue as the model's failure instead.
    """
    answer = recorded("repairing", BENCHMARKS)

    def refuse(body: dict[str, Any]) -> Completion | Fault:
        if turn_of(body) == 2 and "cistern" in text_of(body):
            return Fault("status", 400, error={"message": "something is wrong with this one"})
        if turn_of(body) == 2 and "pantry" in text_of(body):
            message = "This model's maximum context length is 100 tokens, you asked for 5000."
            return Fault("status", 400, error={"message": message})
        return answer(body)

    with ChatServer(refuse) as server:
        done = lm_eval("--tasks", CONTESTS, server=server, metadata=METADATA)
    assert done.process.returncode == 0, done.said
    ends = Counter(one["end"] for one in done.dialogues(CONTESTS))
    assert ends == {"public_passed": 6, "request_failed": 1, "context_overflow": 1}
    assert done.metrics(CONTESTS)["missing"] == 1 / 8


def test_no_finished_turn_is_asked_twice_after_kill_9(environment: dict[str, str], tmp_path: Path) -> None:
    """Killed in turn 2 and started again with --use_cache, every reply that was there is not asked for again."""
    answer = recorded("repairing", BENCHMARKS)
    killed, is_second = threading.Event(), threading.Event()
    answered: list[int] = []

    def answer_until_killed(body: dict[str, Any]) -> Completion | Fault:
        if turn_of(body) == 1 and not is_second.is_set() and answered.count(1) >= 3:
            killed.set()
            return Fault("silence")
        answered.append(turn_of(body))
        return answer(body)

    with ChatServer(answer_until_killed) as server:
        line = command("--tasks", CONTESTS, "--use_cache", "replies", server=server, metadata=METADATA)
        first = subprocess.Popen(line, cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)
        assert killed.wait(120)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        before, begun = list(answered), len(server.bodies)
        is_second.set()
        again = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
    assert before.count(0) == 8 and before.count(1) >= 3
    after = server.bodies[begun:]
    assert after and 0 not in map(turn_of, after)
    # What was on its way when the process was killed is asked for again, once.
    assert set(Counter(json.dumps(body, sort_keys=True) for body in after).values()) == {1}
    assert Done(again, tmp_path / "out").metrics(CONTESTS)["pass@1"] == 0.875


@pytest.mark.parametrize(
    ("task", "metadata", "message"),
    [
        (CONTESTS, {"samples": 2}, "--metadata 'samples' is unknown: the keys are profile, samples_per_problem"),
        (
            "taco_singleturn",
            {"data_dir": "of"},
            "of/taco/test.jsonl holds no problem of difficulty HARD: its rows say ",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence_before_any_request(
    lm_eval: LmEval, task: str, metadata: dict[str, Any], message: str, tmp_path: Path
) -> None:
    """No traceback, nothing asked, a status that says so: wrong options, a group with a level that has no problem."""
    write_levels(tmp_path / "of", {**LEVELS, "HARD": (0, 0)})
    with ChatServer(lambda body: Completion("")) as server:
        done = lm_eval("--tasks", task, server=server, metadata=metadata, cwd=tmp_path)
        assert server.bodies == []
    assert done.process.returncode != 0
    assert f"turnwise: {message}" in done.process.stderr and "Traceback" not in done.process.stderr


def test_what_lm_eval_wrote_is_scored_where_it_stands(
    chats: tuple[Done, ChatServer], own_scores: dict[str, dict[str, float]], tmp_path: Path
) -> None:
    """``turnwise score`` and ``turnwise import`` read the folder; the estimates are those of ``turnwise run``."""
    folder = chats[0].folder
    scored = score_runs(read_runs(find_runs(folder)))
    for one in scored:
        found = {f"{each.metric} in {each.turns}": each.value for each in one.estimates if each.group == "all"}
        assert found == own_scores[one.outcomes.record.task]
    (of_model,) = (path for path in folder.iterdir() if path.is_dir())
    import_command([of_model], Options("lm-eval"), tmp_path / "run", environ={}, arguments=["import"])
    again = score_runs(read_runs([tmp_path / "run"]))
    assert [one.estimates for one in again] == [one.estimates for one in scored]
    assert again[0].run.record.settings.sampling.temperature == 0.2
    assert again[0].run.record.settings.chat_template is True


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("groups", {"turnwise", "taco_multiturn", "mmlu"}),
        ("tasks", {*(name for name, task in TASKS.items() if not task.is_training), "turnwise", "hellaswag"}),
    ],
)
def test_bare_lm_eval_lists_our_tasks_beside_its_own(
    kind: str, names: set[str], bare_environment: dict[str, str], tmp_path: Path
) -> None:
    """As it is installed, without an option."""
    line = [EXECUTABLE, "ls", kind]
    listed = subprocess.run(line, cwd=tmp_path, env=bare_environment, capture_output=True, text=True, check=True)
    rows = {row.split("|")[1].strip() for row in listed.stdout.splitlines() if row.count("|") > 1}
    assert names <= rows
