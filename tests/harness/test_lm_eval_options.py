"""lm_eval's own options with our tasks: each has the meaning that it has with lm_eval's."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import ChatServer, Completion
from lm_eval_runs import EXECUTABLE, Done
from recorded_answers import recorded, text_of

from turnwise.commands.exchange import import_command
from turnwise.commands.judge import judge_command
from turnwise.commands.options import JudgeOptions
from turnwise.exchange.imported import Options
from turnwise.exchange.runs import find_runs, read_runs
from turnwise.leaderboard.report import score_runs
from turnwise.records.settings import Sampling

pytestmark = [pytest.mark.xdist_group("lm_eval"), pytest.mark.slow]

LmEval = Callable[..., Done]
CONTESTS, CALLS = "sample_codecontests_multiturn", "sample_mbpp_plus_multiturn"
OF_OTHERS = """
task: sums
dataset_path: json
dataset_kwargs: {data_files: {test: sums.jsonl}}
test_split: test
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
output_type: generate_until
generation_kwargs: {until: ["\\n"], max_gen_toks: 8}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""
GROUP = "group: mine\ntask: [sample_codecontests_multiturn, sample_mbpp_plus_singleturn]\n"
GROUP += "aggregate_metric_list: [{metric: pass@1, weight_by_size: true}]\n"


@pytest.fixture
def own_tasks(tmp_path: Path) -> Path:
    """A folder with a task of the user's that needs no hub, and a group of two of ours."""
    (tmp_path / "sums.jsonl").write_text('{"question": "1 + 1 =", "answer": "lol"}\n')
    (tmp_path / "sums.yaml").write_text(OF_OTHERS)
    (tmp_path / "mine.yaml").write_text(GROUP)
    return tmp_path


@pytest.mark.parametrize("runs", [1, pytest.param(2, marks=pytest.mark.long)])
def test_mixed_tasks_groups_and_limits(runs: int, lm_eval: LmEval, own_tasks: Path) -> None:
    """A model that knows no chat; others' tasks beside ours, a group's mean, --limit; --cache_requests is harmless.

    What it kept of one run is not taken for that of another with other options.
    """
    arguments = ("--model", "dummy", "--tasks", "sums,mine", "--include_path", ".", "--limit", "2")
    for samples in (3, 1)[:runs]:
        done = lm_eval(*arguments, "--cache_requests", "true", metadata={"samples_per_problem": samples}, cwd=own_tasks)
        assert done.process.returncode == 0, done.said
        assert [len(row["resps"][0]) for row in done.samples(CONTESTS)] == [samples] * 2
        assert done.metrics("sums") == {"exact_match": 1.0}
        # Replies without code are failures, not gaps.
        of_calls = {"pass@1": 0.0, "1@1": 0.0, "no_code": 1.0, "missing": 0.0}
        assert done.metrics("sample_mbpp_plus_singleturn") == of_calls
        assert done.results["groups"]["mine"]["pass@1,none"] == 0.0
        assert done.results["n-samples"][CONTESTS] == {"original": 4, "effective": 2}
        names = [one.outcomes.record.task for one in score_runs(read_runs(find_runs(done.folder)))]
        assert names == [CONTESTS, "sample_mbpp_plus_singleturn"]
        for path in done.folder.rglob("*.json*"):
            path.unlink()


def test_chosen_samples_without_scores(lm_eval: LmEval, tmp_path: Path, cache_dir: Path) -> None:
    """--samples asks these problems, --predict_only runs no hidden test; scoring says so, and judging can follow."""
    chosen = json.dumps({CONTESTS: [0, 2]})
    with ChatServer(recorded("steady", ("sample_codecontests",))) as server:
        done = lm_eval("--tasks", CONTESTS, "--samples", chosen, "--predict_only", server=server)
    assert done.process.returncode == 0, done.said
    assert [row["doc_id"] for row in done.samples(CONTESTS)] == [0, 2]
    assert done.metrics(CONTESTS)["bypass"] == 999
    assert [json.loads(text)["judgements"] for row in done.samples(CONTESTS) for text in row["filtered_resps"][0]] == [
        [],
        [],
    ]
    (scored,) = score_runs(read_runs(find_runs(done.folder)))
    assert scored.outcomes.gaps == {"not_judged": 2}
    (of_model,) = (path for path in done.folder.iterdir() if path.is_dir())
    run = tmp_path / "run"
    said = import_command([of_model], Options("lm-eval"), run, environ={}, arguments=["import"])
    assert said.endswith(f"Next: turnwise judge {run}")
    judge_command(run, JudgeOptions(workers=1), environ={"TURNWISE_CACHE": str(cache_dir)})
    (judged,) = score_runs(read_runs([run]))
    assert judged.outcomes.missing == 0 and judged.outcomes.passed[..., -1].all()


def test_system_instruction_generation_options_and_thinking(lm_eval: LmEval) -> None:
    """Both are sent as given; what a reasoning model thinks is neither extracted nor sent back, None is no answer."""
    answer = recorded("repairing", ("sample_codecontests",), samples=1, seed=5)

    def think(body: dict[str, Any]) -> Completion:
        if "pantry" in text_of(body):
            return Completion(None, reasoning="```python\nprint(1)\n```")
        return Completion(f"I try\n```python\nprint('thought')\n```\n</think>\n{answer(body).text}")

    with ChatServer(think) as server:
        given = "temperature=0.7,max_gen_toks=99,presence_penalty=-0.5,seed=5"
        options = ("--system_instruction", "Be brief.", "--gen_kwargs", given)
        done = lm_eval("--tasks", CONTESTS, *options, server=server)
    assert done.process.returncode == 0, done.said
    assert all(body["messages"][0] == {"role": "system", "content": "Be brief."} for body in server.bodies)
    expected = {"temperature": 0.7, "max_tokens": 99, "top_p": 0.95, "presence_penalty": -0.5}
    assert all({name: body[name] for name in expected} == expected for body in server.bodies)
    assert not any("thought" in text_of(body) for body in server.bodies)
    by_problem = {one["problem"].rpartition(" ")[2]: one for one in done.dialogues(CONTESTS)}
    assert by_problem["Ledger"]["turns"][0]["program"] is None and done.metrics(CONTESTS)["no_code"] == 1 / 4
    assert done.metrics(CONTESTS)["solved_by_turn_2"] == 1 / 2
    (scored,) = score_runs(read_runs(find_runs(done.folder)))
    settings = scored.run.record.settings
    assert (settings.seed, settings.system_instruction) == (5, "Be brief.")
    assert settings.sampling == Sampling(0.7, 0.95, max_tokens=99, presence_penalty=-0.5)


def test_plain_completions_and_their_own_context(lm_eval: LmEval, tmp_path: Path) -> None:
    """Without a chat template a completion server gets plain text, one request at a time."""
    answer = recorded("steady", ("sample_mbpp_plus",), samples=1)
    with ChatServer(answer) as server:
        arguments = [f"base_url={server.base_url}/completions", "model=org/m", "tokenizer_backend=none"]
        done = lm_eval("--model", "local-completions", "--model_args", ",".join(arguments), "--tasks", CALLS)
    assert done.process.returncode == 0, done.said
    assert all(str(body["prompt"]).startswith("User:\n") for body in server.bodies)
    assert all("\nUser:\n" in body["stop"] for body in server.bodies)
    assert done.metrics(CALLS)["pass@1"] > 0.5


def test_lm_eval_validates_our_tasks(environment: dict[str, str], tmp_path: Path) -> None:
    """All names and groups, as ``lm_eval validate`` checks them."""
    names = "turnwise,taco_multiturn,taco_singleturn,codecontests_multiturn,codecontests_valid_multiturn"
    line: list[Any] = [EXECUTABLE, "validate", "--tasks", f"{names},humaneval_plus_multiturn,mbpp_plus_singleturn"]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "All tasks found and valid" in done.stdout
