"""Canaries: a program tries to escape in one way per layer, and each attempt must fail.

>>> for result in self_test(executor):
...     print(result.layer, result.held, result.what)
files True wrote a file outside: refused (...)

The executor asks them before it trusts its first worker; ``turnwise doctor`` shows them. They tell a layer that
is missing or mistaken from one that works on this machine. They do NOT prove that there is no other way
out, and where two layers refuse the same thing they cannot tell which one did.
"""

import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.runners.execution.interface import PYTHON, Ending, Executor, Program
from turnwise.runners.execution.process import scrubbed_environment

# Reads {names of canaries} from stdin; prints one JSON list [layer, attempt, what happened, "" if it was refused].
_ESCAPEE = rb"""
import ctypes, json, os, resource, signal, socket, sys

given = json.loads(sys.stdin.read())
library = ctypes.CDLL(None, use_errno=True)

def native(name, *arguments):
    if getattr(library, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"

def write(): return open(given["folder"] + "/written", "w").write("x")
def change(): return open(given["secret"], "a").write("x")
def read(): return open(given["secret"]).read()
def names(): return os.listdir(given["folder"])
def connect():
    with socket.socket() as one:
        return one.connect(("127.0.0.1", given["port"])) or "connected"
def knock():
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect(given["socket"]) or "connected"
def fork():
    if os.fork() == 0:
        os._exit(0)
    return "forked"
def start(): return os.posix_spawn("/bin/true", ["true"], {})
def group():
    os.kill(0, 0)
    return "reached the process group"
def parent():
    os.kill(os.getppid(), 0)
    return "reached the parent"
def judge():
    os.kill(given["judge"], 0)
    return "reached the judge"
def environment():
    found = sorted(set(os.environ) - set(given["environment"]))
    if not found:
        raise OSError("nothing there")
    return found
def processes(): return open("/proc/%d/environ" % given["judge"]).read()
def memory(): return open("/proc/%d/mem" % os.getppid(), "rb+").name
def limit():
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard + 1, hard + 1))
    return "raised"
def root():
    os.chroot("/")
    return "changed the root"
def trace(): return native("ptrace", 16, os.getppid(), 0, 0)
def namespace(): return native("unshare", 0x10000000)
def device(): return native("mount", b"none", b".", b"tmpfs", 0, None)

attempts = [
    ("files", "write a file outside", write), ("files", "change a file outside", change),
    ("files", "read a secret file outside", read), ("files", "list a folder outside", names),
    ("network", "connect to a TCP port", connect), ("network", "connect to a UNIX socket", knock),
    ("processes", "fork", fork), ("processes", "start a program", start),
    ("processes", "signal its group", group), ("processes", "signal its parent", parent),
    ("processes", "signal the judge", judge), ("processes", "read a process's environment", processes),
    ("processes", "open its parent's memory", memory), ("environment", "read what the judge's holds", environment),
    ("limits", "raise a limit", limit), ("privileges", "change the root", root), ("privileges", "mount", device),
    ("system calls", "trace its parent", trace), ("system calls", "make a user namespace", namespace),
]
for layer, what, attempt in attempts:
    try:
        got = attempt()
    except (OSError, ValueError) as error:
        print(json.dumps([layer, what, "refused (%s)" % error, True]))
    else:
        print(json.dumps([layer, what, "succeeded: %.200r" % (got,), False]))
print(json.dumps("whole"))
"""
_OF_A_SHELL = ("PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE")  # which sets the stack before the interpreter starts
_LIMITS = Limits(5.0, 512 << 20, output_limit_bytes=1 << 20)


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """One attempt: the layer that must refuse it, whether it did, and what was tried and came of it."""

    layer: str
    held: bool
    what: str


def self_test(executor: Executor) -> tuple[CanaryResult, ...]:
    """Return what became of every attempt; raises InfrastructureError if the program did not get to its end."""
    with tempfile.TemporaryDirectory(prefix="turnwise-canary-") as folder, socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        port.listen()
        secret = Path(folder) / "secret"
        secret.write_text(secrets.token_hex())
        with socket.socket(socket.AF_UNIX) as door, _opened(folder) as descriptor:
            door.bind(f"/proc/self/fd/{descriptor}/door")  # a path that is never too long for an address
            door.listen()
            os.chmod(folder, 0o755)
            given = {
                "folder": folder,
                "secret": str(secret),
                "port": port.getsockname()[1],
                "socket": f"{folder}/door",
                "judge": os.getpid(),
                "environment": [*scrubbed_environment(""), *_OF_A_SHELL],
            }
            with executor.open(Program(_ESCAPEE), PYTHON, _LIMITS) as session:
                (execution,) = session.run([json.dumps(given).encode()])
    lines = [json.loads(line) for line in execution.output.splitlines()] if execution.output else []
    if execution.ending is not Ending.FINISHED or not lines or lines[-1] != "whole":
        why = " ".join(execution.error.split())
        raise InfrastructureError(f"The sandbox's self-test did not end: {execution.ending}. {why}")
    return tuple(CanaryResult(layer, held, f"{what}: {came}") for layer, what, came, held in lines[:-1])


@contextmanager
def _opened(folder: str) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def require_containment(executor: Executor) -> None:
    """Raise InfrastructureError naming every attempt to escape that succeeded."""
    escaped = [f"{one.layer}: {one.what}" for one in self_test(executor) if not one.held]
    if escaped:
        raise InfrastructureError(
            f"Programs could escape from tier {executor.tier}, so none is run ({'; '.join(escaped)}). "
            "Remedy: run turnwise doctor, or use another machine or container."
        )
