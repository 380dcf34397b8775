"""A model's server in each worker's job: started, waited for, used, and ended with it."""

import json
import os
import shlex
import sys
import urllib.request
from pathlib import Path

import pytest
from cluster_run import ClusterRun, environment_of
from processes import descendants, holds_soon

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.slurm.worker import serve

SCRIPT = """
import sys, threading
sys.path.insert(0, {folder!r})
from chat_server import ChatServer, Completion
with ChatServer(lambda body: Completion("```python\\nprint(1)\\n```"), port=int(sys.argv[1])):
    threading.Event().wait()
"""


def server_command(tmp_path: Path) -> str:
    """Return the command of a server of the model tiny."""
    script = tmp_path / "server.py"
    script.write_text(SCRIPT.format(folder=str(Path(__file__).parents[1] / "runners")))
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(script))} {{port}}"


def test_a_server_is_there_while_it_is_used(tmp_path: Path) -> None:
    """It answers inside, and nothing of it is left after."""
    before = descendants(os.getpid())
    with serve(server_command(tmp_path), model="tiny", seconds=60) as base_url:
        with urllib.request.urlopen(f"{base_url}/models", timeout=10) as reply:
            assert json.load(reply)["data"][0]["id"] == "tiny"
        assert descendants(os.getpid()) - before
    assert holds_soon(lambda: not descendants(os.getpid()) - before)


def test_a_server_that_ends_is_the_machines_failure() -> None:
    """The worker says so, instead of waiting for half an hour."""
    with pytest.raises(InfrastructureError, match="ended with 4"), serve("sh -c 'exit 4'", model="tiny"):
        pass


@pytest.mark.parametrize("command", ["no-such-program {port}", "vllm serve {modle}"])
def test_a_server_that_cannot_be_started_is_a_mistake_in_the_profile(command: str) -> None:
    """The command is named."""
    with pytest.raises(TurnwiseError, match="server command"), serve(command, model="tiny"):
        pass


@pytest.mark.slow
def test_workers_with_servers_of_their_own_do_a_run(tmp_path: Path, cache_dir: Path) -> None:
    """Each worker asks the server of its own job; run.json names the model and no address."""
    pytest.importorskip("openai", reason="openai is not installed: pip install 'turnwise[openai]'")
    run = ClusterRun(tmp_path, environment_of(cache_dir))
    profile = tmp_path / "profile.yaml"
    profile.write_text(json.dumps({"workers": 1, "server": server_command(tmp_path)}))
    options = ["-M", "openai", "-a", "model=tiny", "-t", "sample_mbpp_plus_multiturn", "-o", str(run.output)]
    done = run.command("submit", "--cluster", "local", "-p", str(profile), "--workers", "1", *options)
    assert done.returncode == 0, done.stderr
    assert json.loads((run.output / "run.json").read_text())["model"] == {"back_end": "openai", "model": "tiny"}
    assert "3 of 3" in done.stdout and "missing" not in done.stdout
