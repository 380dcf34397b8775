"""A model server of one worker's own: started before its dialogues, asked whether it is up, ended with the worker.

with serve("vllm serve {model} --port {port}", model="Qwen/Qwen2.5-Coder-7B-Instruct") as base_url: ...
"""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from turnwise.errors import InfrastructureError, TurnwiseError

START_SECONDS = 1800.0
_POLL_SECONDS = 0.5
_END_SECONDS = 10.0


@contextmanager
def serve(command: str, *, model: str, seconds: float = START_SECONDS) -> Iterator[str]:
    """Yield the base URL of a server that ``command`` starts, with {model} and {port} filled in.

    Raises InfrastructureError if it ends or does not answer within ``seconds``, TurnwiseError for a command
    that cannot be started.
    """
    port = _free_port()
    try:
        words = [word.format(model=model, port=port) for word in shlex.split(command)]
        process = subprocess.Popen(words, start_new_session=True)  # its output goes to the job's log
    except (OSError, ValueError, LookupError) as error:
        raise TurnwiseError(
            f"The server command {command!r} cannot be started ({error}): mend 'server' in the profile."
        ) from None
    try:
        base_url = f"http://127.0.0.1:{port}/v1"
        _wait_until_up(process, base_url, seconds)
        yield base_url
    finally:
        _end(process)


def _wait_until_up(process: "subprocess.Popen[bytes]", base_url: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not _answers(base_url):
        if process.poll() is not None:
            raise InfrastructureError(f"The model's server ended with {process.returncode}: see the lines above.")
        if time.monotonic() > end:
            raise InfrastructureError(f"The model's server did not answer within {seconds:.0f} s: see the lines above.")
        time.sleep(_POLL_SECONDS)


def _answers(base_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base_url}/models", timeout=5.0) as reply:
            return bool(reply.status == 200)
    except urllib.error.HTTPError:
        return False
    except OSError:
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server with all it started; TERM is blocked in a job, so it is asked by INT."""
    for number, seconds in ((signal.SIGINT, _END_SECONDS), (signal.SIGKILL, None)):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)


def _free_port() -> int:
    """Return a free port, outside the range that the kernel hands out, so that two jobs of a node seldom meet."""
    for _ in range(100):
        port = 20000 + secrets.randbelow(12000)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port
    raise InfrastructureError("No port is free on this node.")
