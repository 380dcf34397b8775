"""Models that need torch: Hugging Face's, and two ranks of data parallel."""

import importlib.util
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from chat_server import ChatServer
from lm_eval_runs import Done, command
from recorded_answers import recorded

pytestmark = [
    pytest.mark.xdist_group("lm_eval"),
    pytest.mark.slow,
    pytest.mark.skipif(
        any(importlib.util.find_spec(name) is None for name in ("torch", "transformers", "accelerate")),
        reason="torch, transformers or accelerate is not installed: pip install 'turnwise[test-models]'",
    ),
]

LmEval = Callable[..., Done]
CONTESTS, CALLS = "sample_codecontests_multiturn", "sample_mbpp_plus_multiturn"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """A tiny Llama with random weights, 4096 tokens of context and a chat template."""
    folder = tmp_path_factory.mktemp("models") / "llama"
    subprocess.run([sys.executable, HERE.parent / "runners" / "tiny_model.py", folder], env=environment, check=True)
    return folder


def test_a_local_model_is_asked_with_its_chat_template(lm_eval: LmEval, llama: Path) -> None:
    """Two samples at a temperature differ, although this back end takes no seed; each turn is a batch."""
    options = ("--apply_chat_template", "--device", "cpu", "--batch_size", "8", "--gen_kwargs", "max_gen_toks=16")
    arguments = ("--model", "hf", "--model_args", f"pretrained={llama}", "--tasks", CALLS, *options)
    done = lm_eval(*arguments, "--gen_kwargs", "temperature=1.0,max_gen_toks=16", metadata={"samples_per_problem": 2})
    assert done.process.returncode == 0, done.said
    dialogues = done.dialogues(CALLS)
    assert [len(one["turns"]) for one in dialogues] == [3] * 6
    first, second = ([turn["calls"][0]["reply"]["text"] for turn in one["turns"]] for one in dialogues[:2])
    assert first != second
    assert done.metrics(CALLS)["no_code"] == 1.0


@pytest.mark.long
def test_max_gen_toks_beyond_the_context_is_one_sentence(lm_eval: LmEval, llama: Path) -> None:
    """Where the model's tokenizer is at hand, what cannot fit is said before anything is asked."""
    arguments = ("--model", "hf", "--model_args", f"pretrained={llama}", "--tasks", CALLS, "--device", "cpu")
    done = lm_eval(*arguments, "--apply_chat_template")
    assert done.process.returncode != 0 and "Traceback" not in done.process.stderr
    assert "turnwise: max_gen_toks is 4096, and the model's context holds 4096 tokens" in done.process.stderr


def test_two_ranks_score_as_one(environment: dict[str, str], tmp_path: Path) -> None:
    """Four problems and three over two ranks: each dialogue is asked once, padding is not, scores are of all."""
    answer = recorded("repairing", ("sample_codecontests", "sample_mbpp_plus"))
    with ChatServer(answer) as server, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
        free.close()
        options = ("--tasks", f"{CONTESTS},{CALLS}", "--use_cache", "replies")
        line = command(*options, server=server, metadata={"samples_per_problem": 2})
        line[:1] = [sys.executable, str(HERE / "ranks.py")]
        line[line.index("local-chat-completions")] = "ranked-chat-completions"
        meeting = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        ranks = [
            subprocess.Popen(
                line,
                cwd=tmp_path,
                env={**environment, **meeting, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                stderr=subprocess.PIPE,
                text=True,
            )
            for rank in (0, 1)
        ]
        said = [rank.communicate(timeout=300)[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], "\n".join(said)
    assert set(Counter(map(str, server.bodies)).values()) == {1}
    done = Done(subprocess.CompletedProcess(line, 0), tmp_path / "out")
    assert [len(row["resps"][0]) for row in done.samples(CALLS)] == [2, 2, 2]
    assert done.metrics(CONTESTS)["pass@1"] == 0.875 and done.metrics(CALLS)["solved_by_turn_2"] == pytest.approx(5 / 6)
    assert done.results["n-samples"][CONTESTS] == {"original": 4, "effective": 4}
