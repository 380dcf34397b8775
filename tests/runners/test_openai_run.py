"""``turnwise run --model openai`` end to end: the same files as in lockstep, after kill -9, and after a dead server."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Completion, Fault

from turnwise.records.codec import to_line
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Reply
from turnwise.runners.drivers import run_in_lockstep
from turnwise.runners.execution.interface import Executor
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import Machine, load_task
from turnwise.runners.models.chat import to_chat
from turnwise.runners.models.sampler import Outcome, Request
from turnwise.tasks.catalog import find_tasks
from turnwise.tasks.dialogue import Dialogue, DialoguePlan, render_statement
from turnwise.tasks.plan import strategy_of
from turnwise.tasks.prompts import PromptSet

TASKS = find_tasks("sample_codecontests_multiturn,sample_mbpp_plus_multiturn")
SETTINGS = RunSettings(samples_per_problem=5)


class Repairer:
    """A model that depends on the messages and the seed alone: sometimes right, sooner or later."""

    def __init__(self, machine: Machine) -> None:
        prompts = PromptSet.load()
        self.loaded = [load_task(task, SETTINGS, machine) for task in TASKS]
        problems = [problem for loaded in self.loaded for problem in loaded.asked]
        self._right = {render_statement(prompts, problem): problem.solutions[0] for problem in problems}

    def say(self, messages: Sequence[dict[str, str]], seed: int) -> str:
        """Return the reply."""
        (right,) = [code for told, code in self._right.items() if messages[0]["content"].startswith(told)]
        code = [right, "print(0)", "def nothing(): pass", None][seed % 4]
        return f"Seed {seed}:\n```python\n{code}\n```\n" if code else f"I give up, {seed}."

    def answer(self, body: dict[str, Any]) -> Completion:
        """Answer one request of a server."""
        texts = [self.say(body["messages"], body["seed"] + choice) for choice in range(body.get("n", 1))]
        return Completion(texts[0], seconds=0.002 * (body["seed"] % 13), others=tuple(texts[1:]))

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Answer a batch, with the counts of tokens that the test server tells."""
        texts = [self.say(to_chat(request.messages), request.seed) for request in requests]
        counts = [9 + len(to_chat(request.messages)) for request in requests]
        return [Reply(text, "", "stop", n, max(1, len(text) // 4)) for text, n in zip(texts, counts, strict=True)]


@pytest.fixture
def repairer(executor: Executor, cache_dir: Path) -> Repairer:
    """The model of these tests."""
    return Repairer(Machine(executor, cache_dir, workers=2))


class Run:
    """A run folder and the command that fills it."""

    def __init__(self, output: Path, cache_dir: Path, server: ChatServer, *options: str) -> None:
        self.output = output
        names = ",".join(task.name for task in TASKS)
        self.command = [sys.executable, "-m", "turnwise", "run", "--model", "openai", "-o", str(output), "-t", names]
        self.command += ["-a", f"base_url={server.base_url}", "--metadata", '{"samples_per_problem": 5}', *options]
        self.environment = dict(os.environ, TURNWISE_CACHE=str(cache_dir))

    def start(self) -> subprocess.Popen[str]:
        """Begin an attempt."""
        pipe = subprocess.PIPE
        return subprocess.Popen(self.command, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def finish(self, status: int = 0) -> str:
        """Let an attempt run to its end and return what it said."""
        with self.start() as process:
            said, errors = process.communicate()
        assert process.returncode == status, errors
        assert "Traceback" not in errors
        return said + errors

    def trajectories(self) -> dict[str, bytes]:
        """Return the committed shards."""
        return {path.parent.name + path.name: path.read_bytes() for path in self.output.rglob("trajectories/*/*.jsonl")}

    def count_kept(self) -> int:
        """Return how many replies stand in the logs of attempts."""
        count = 0
        for path in self.output.rglob("trajectories/*/*.part"):
            with suppress(FileNotFoundError):  # its shard has just been committed
                count += path.read_bytes().count(b"\n")
        return count

    def answered(self) -> set[str]:
        """Return the replies that are kept."""
        found = set()
        for path in self.output.rglob("trajectories/*/*.part"):
            whole = path.read_text().split("\n")[:-1]  # what follows the last line break is torn
            found |= {json.loads(line)["reply"]["text"] for line in whole}
        for data in self.trajectories().values():
            turns = [turn for line in data.splitlines() for turn in json.loads(line)["turns"]]
            found |= {call["reply"]["text"] for turn in turns for call in turn["calls"]}
        return found


def _lockstep(repairer: Repairer, executor: Executor) -> dict[str, bytes]:
    """Return the shards as the lockstep driver makes them."""
    shards, judge = {}, Judge(executor, workers=2)
    for loaded in repairer.loaded:
        plan = DialoguePlan(loaded.task.name, strategy_of(SETTINGS, loaded.task), PromptSet.load())
        dialogues = [Dialogue(problem, sample, plan) for problem in loaded.asked for sample in range(5)]
        run_in_lockstep(dialogues, repairer, judge)
        lines = "".join(to_line(dialogue.trajectory()) + "\n" for dialogue in dialogues)
        shards[f"{loaded.task.name}00000.jsonl"] = lines.encode()
    judge.close()
    return shards


@pytest.mark.slow
def test_both_drivers_write_the_same_bytes(
    repairer: Repairer, executor: Executor, tmp_path: Path, cache_dir: Path
) -> None:
    """From the command line against a server, and in lockstep without one; the table names the model."""
    with ChatServer(repairer.answer) as server:
        run = Run(tmp_path / "run", cache_dir, server)
        said = run.finish()
        assert run.trajectories() == _lockstep(repairer, executor)
        assert "tiny" in said and "missing" not in said
        asked = len(server.bodies)
        run.finish()
        assert len(server.bodies) == asked
    costs = json.loads((run.output / "costs" / "main.jsonl").read_text().splitlines()[0])
    assert (
        costs["model_calls"] == asked
        and costs["prompt_tokens"] == sum(9 + len(body["messages"]) for body in server.bodies)
        and costs["completion_tokens"] > asked
    )


@pytest.mark.slow
def test_a_killed_run_asks_a_server_for_nothing_it_has(
    repairer: Repairer, executor: Executor, tmp_path: Path, cache_dir: Path
) -> None:
    """kill -9 while requests are in flight, then the same line: the same bytes, no kept reply asked for again."""
    whole = _lockstep(repairer, executor)
    moments = random.Random(1)
    with ChatServer(repairer.answer) as server:
        for number in range(2):
            run = Run(tmp_path / f"run{number}", cache_dir, server, "--gen_kwargs", "temperature=0.5")
            wanted = moments.randint(3, 40)
            with run.start() as process:
                while run.count_kept() < wanted and process.poll() is None:
                    time.sleep(0.002)
                process.send_signal(signal.SIGKILL)
                process.communicate()
            answered, asked = run.answered(), len(server.bodies)
            run.finish()
            repeated = {repairer.say(body["messages"], body["seed"]) for body in server.bodies[asked:]} & answered
            assert answered and not repeated
            assert run.trajectories() == whole


@pytest.mark.slow
def test_first_turns_asked_jointly_are_the_same_after_a_kill(
    repairer: Repairer, tmp_path: Path, cache_dir: Path
) -> None:
    """Five dialogues a problem by fours: two requests for their first turns, and the same choices once more."""
    problems = sum(len(loaded.asked) for loaded in repairer.loaded)
    with ChatServer(repairer.answer) as server:
        jointly = ("-a", f"base_url={server.base_url},first_turns=4")
        whole = Run(tmp_path / "whole", cache_dir, server, *jointly)
        whole.finish()
        first = [body.get("n", 1) for body in server.bodies if len(body["messages"]) == 1]
        assert sorted(first) == [1] * problems + [4] * problems
        killed = Run(tmp_path / "killed", cache_dir, server, *jointly)
        with killed.start() as process:
            while killed.count_kept() < 6 and process.poll() is None:
                time.sleep(0.002)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        killed.finish()
    assert killed.trajectories() == whole.trajectories()
    assert json.loads((killed.output / "run.json").read_text())["model"]["first_turns"] == "4"


@pytest.mark.slow
def test_a_finished_run_needs_no_server(repairer: Repairer, tmp_path: Path, cache_dir: Path) -> None:
    """Its line again prints its table; of another model, or with a dialogue missing, there is somebody to ask."""
    faults = [Fault("status", status=400)]

    def answer(body: dict[str, Any]) -> Completion | Fault:
        return faults.pop() if faults else repairer.answer(body)

    with ChatServer(answer) as server:
        run = Run(tmp_path / "run", cache_dir, server)
        assert "1 of 35 dialogues are missing" in run.finish()
        asked = len(server.bodies)
        table = run.finish()
        assert len(server.bodies) > asked and "missing" not in table
    assert run.finish().partition("Written")[0] == table.partition("Written")[0]
    run.command[run.command.index("-a") + 1] += ",model=other"
    assert "does not answer" in run.finish(status=3)


@pytest.mark.slow
def test_a_server_that_dies_stops_the_run_and_loses_nothing(
    repairer: Repairer, executor: Executor, tmp_path: Path, cache_dir: Path
) -> None:
    """Exit status 3, one sentence with what to do; with the server back the same line finishes the run."""
    with ChatServer(repairer.answer) as server:
        run = Run(tmp_path / "run", cache_dir, server, "-a", f"base_url={server.base_url},outage=0.5,max_retries=1")
        with run.start() as process:
            while len(server.bodies) < 10:
                time.sleep(0.002)
            server.stop()
            _, errors = process.communicate()
        assert process.returncode == 3 and "Traceback" not in errors
        assert "does not answer" in errors and "run the same line again" in errors
        answered = run.answered()
    with ChatServer(repairer.answer, port=server.port) as again:
        run.finish()
    assert not {repairer.say(body["messages"], body["seed"]) for body in again.bodies} & answered
    assert run.trajectories() == _lockstep(repairer, executor)


@pytest.mark.slow
def test_what_cannot_be_asked_is_one_sentence(tmp_path: Path, cache_dir: Path) -> None:
    """No server, no address, no such argument, no such model: exit status 2 or 3, and no run folder."""
    with ChatServer(lambda body: Completion("x")) as server:
        for arguments, status, words in (
            ("model=tiny", 2, "needs -a base_url="),
            ("base_url=localhost:8000/v1", 2, "base_url is 'localhost:8000/v1': write it with its protocol"),
            (f"base_url={server.base_url},modle=tiny", 2, "'modle' is unknown"),
            (f"base_url={server.base_url},model=huge", 2, "it serves tiny"),
            ("base_url=http://127.0.0.1:9/v1,model=tiny", 3, "does not answer"),
            (f"base_url={server.base_url},first_turns=0", 2, "first_turns"),
        ):
            run = Run(tmp_path / "run", cache_dir, server, "-a", arguments)
            run.environment.pop("OPENAI_API_KEY", None)
            run.environment.pop("OPENAI_BASE_URL", None)
            assert words in run.finish(status)
            assert not run.output.exists()
        greedy = ("-a", f"base_url={server.base_url},first_turns=2", "--gen_kwargs", "temperature=0")
        assert "replies that differ" in Run(tmp_path / "run", cache_dir, server, *greedy).finish(2)


SECRETS = ("dXNlci1zZWNyZXQ6cHctc2VjcmV0", "user-secret", "pw-secret", "q-secret", "sk-secret", "org-secret")


def _gossip(body: dict[str, Any]) -> Fault:
    """Refuse, repeating all that came; the first is the header that user-secret:pw-secret makes."""
    words = f"Basic {' '.join(SECRETS)}"
    return Fault("status", 400, error={"message": words, "code": words})


def _secretive(tmp_path: Path, cache_dir: Path, server: ChatServer) -> tuple[Run, str]:
    """Return a run with secrets of each kind, and the address that holds some."""
    run = Run(tmp_path / "run", cache_dir, server, "-L", "1")
    run.command[run.command.index("-t") + 1] = TASKS[-1].name
    run.environment |= {"OPENAI_API_KEY": "sk-secret", "OPENAI_ORG_ID": "org-secret"}
    address = server.base_url.replace("://", "://user-secret:pw-secret@") + "?api_key=q-secret"
    run.command[run.command.index("-a") + 1] = f"base_url={address}"
    return run, address


def _assert_secretive(tmp_path: Path, *texts: str) -> None:
    files = [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [secret for secret in SECRETS for text in (*texts, *files) if secret in text]


@pytest.mark.slow
def test_no_key_stands_in_a_file_or_an_error(tmp_path: Path, cache_dir: Path) -> None:
    """Although the address holds some, and the server repeats all it was sent; submit takes no such address."""
    with ChatServer(_gossip) as server:
        run, _ = _secretive(tmp_path, cache_dir, server)
        said = run.finish()
        assert server.bodies and "HTTP 400: Basic ***" in said
        run.command[run.command.index("run")] = "submit"
        refused = run.finish(status=2)
    assert "OPENAI_BASE_URL" in refused
    _assert_secretive(tmp_path, said, refused)


@pytest.mark.slow
@pytest.mark.long
def test_no_key_stands_in_what_is_submitted(tmp_path: Path, cache_dir: Path) -> None:
    """In its frozen options, its logs, or its words, where the address comes from the environment."""
    with ChatServer(_gossip) as server:
        run, address = _secretive(tmp_path, cache_dir, server)
        run.environment["OPENAI_BASE_URL"] = address
        run.command[run.command.index("-a") + 1] = "model=tiny"
        run.command[run.command.index("run")] = "submit"
        run.command += ["--cluster", "local"]
        said = run.finish(status=3)
    assert server.bodies
    _assert_secretive(tmp_path, said)


@pytest.mark.slow
def test_what_bounds_a_reply_bounds_what_submit_estimates(tmp_path: Path, cache_dir: Path) -> None:
    """Under another name, or with a value of the user's; and the context is what the server tells."""
    profile = tmp_path / "profile.yaml"
    profile.write_text("tokens_per_second: 0.01\n")
    estimates = []
    with ChatServer(lambda body: Completion(""), context=40) as server:
        for fields, limit in (
            (',request={"max_tokens": {"as": "max_completion_tokens"}}', ["--gen_kwargs", "max_gen_toks=50"]),
            (',request={"max_tokens": 50}', ["--gen_kwargs", "max_gen_toks=900"]),
        ):
            run = Run(tmp_path / "run", cache_dir, server, "-L", "1", *limit, "--dry-run", "-p", str(profile))
            run.command[run.command.index("-a") + 1] += fields
            run.command[run.command.index("run")] = "submit"
            said = run.finish()
            estimates.append([line for line in said.splitlines() if line.startswith(("GPU-hours", "Context"))])
    assert estimates[0] == estimates[1] and len(estimates[0]) == 2
    assert "Context: 40 tokens; 2 of 2 first prompts leave fewer than 50" in estimates[0][1]
