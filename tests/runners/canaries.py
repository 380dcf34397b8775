"""Canaries: things that a contained program cannot read, reach or change, and a look at each of them.

A secret in a file, in the environment and in this process's memory; a file and a folder that everybody
may write; a TCP port and UNIX sockets that must get no visit; processes, descriptors, planted files and
System V objects that must not grow. ``names`` says where they are, so that an attacker need not search.
Linux only; looking costs some milliseconds. It does not see what leaves no trace here.
"""

import ctypes
import os
import secrets
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_PLANTED = "*hostile*"
_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", "/root", "/home", "~", ".")
_SETTLE_SECONDS = 3.0
_SUBREAPER = 36
# The keys that programs of tests/hostile use for System V objects.
_SYSTEM_V_KEYS = {0x68737401, 0x68737402, 0x68737403}


class Canaries:
    """All canaries of one process, in ``folder``; ``close`` them when done.

    Make them before the executor, so that it could inherit what it should not.
    """

    def __init__(self, folder: Path) -> None:
        # Orphans come to this process, wherever they were made, and are seen.
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        self._secret = f"secret-{secrets.token_hex(16)}"
        self._memory = f"secret-{secrets.token_hex(16)}".encode()
        self._environment = f"secret-{secrets.token_hex(16)}"
        os.environ["TURNWISE_CANARY"] = self._environment
        folder.chmod(0o777)
        self._folder = folder
        self._open_file = folder / "open"
        self._open_file.write_text("untouched")
        self._open_file.chmod(0o666)
        secret_file = folder / "secret"
        secret_file.write_text(self._secret)
        secret_file.chmod(0o444)
        # An inheritable descriptor, as careless libraries leave them behind.
        self._leaked = os.open(secret_file, os.O_RDONLY)
        os.set_inheritable(self._leaked, True)
        self._sockets = {
            "tcp_port": _listen(socket.AF_INET, ("127.0.0.1", 0)),
            "unix_socket": _listen(socket.AF_UNIX, str(folder / "socket")),
            "abstract_socket": _listen(socket.AF_UNIX, f"\0turnwise-{self._secret[-8:]}"),
            "abstract_datagram_socket": _bind(f"\0turnwise-datagrams-{self._secret[-8:]}"),
        }
        self._files = self._describe_folder()
        self._planted = _planted()
        self._processes = len(descendants())
        self._descriptors = _open_descriptors()

    @property
    def names(self) -> dict[str, str]:
        """Where the canaries are, as texts by name."""
        return {
            "secret_file": str(self._folder / "secret"),
            "open_file": str(self._open_file),
            "folder": str(self._folder),
            "tcp_port": str(self._sockets["tcp_port"].getsockname()[1]),
            "unix_socket": str(self._folder / "socket"),
            "abstract_socket": self._sockets["abstract_socket"].getsockname()[1:].decode(),
            "abstract_datagram_socket": self._sockets["abstract_datagram_socket"].getsockname()[1:].decode(),
            "judge_pid": str(os.getpid()),
            "secret_address": str(id(self._memory)),
        }

    def settle(self) -> None:
        """Take what runs and is open now as what may."""
        self._processes = len(descendants())
        self._descriptors = _open_descriptors()

    def traces(self, seen: str) -> Iterator[str]:
        """Yield what a program did to the canaries, which are as before afterwards; ``seen`` is all it said."""
        for kind, secret in self._secrets().items():
            if secret in seen:
                yield f"it read the secret in {kind}"
        for kind, server in self._sockets.items():
            if _visited(server):
                yield f"it reached {kind}"
        if self._describe_folder() != self._files:
            yield f"it changed the folder outside: {self._describe_folder()}"
            self._files = self._describe_folder()
        if fresh := _planted() - self._planted:
            yield f"it left {sorted(fresh)}"
            self._planted |= fresh
        if left := _system_v_objects():
            yield f"it left System V objects {left}"
        if _grows(lambda: len(descendants()), self._processes):
            yield f"it left processes: {descendants()}"
            self._processes = len(descendants())
        if _grows(_open_descriptors, self._descriptors):
            yield f"it left {_open_descriptors() - self._descriptors} descriptors open in the judge"
            self._descriptors = _open_descriptors()

    def close(self) -> None:
        """Close sockets and descriptors and clear the environment."""
        ctypes.CDLL(None).prctl(_SUBREAPER, 0, 0, 0, 0)
        for one in self._sockets.values():
            one.close()
        os.close(self._leaked)
        os.environ.pop("TURNWISE_CANARY", None)

    def _secrets(self) -> dict[str, str]:
        return {"a file": self._secret, "memory": self._memory.decode(), "the environment": self._environment}

    def _describe_folder(self) -> list[tuple[str, int, int, bytes]]:
        found = []
        for path in sorted(self._folder.iterdir()):
            facts = path.lstat()
            content = path.read_bytes() if stat.S_ISREG(facts.st_mode) else b""
            found.append((path.name, facts.st_mode, facts.st_mtime_ns, content))
        return found


def descendants() -> list[str]:
    """Return every process below this one that still runs, as "pid parent name"."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            pid, _, rest = path.read_text(errors="replace").partition(" (")
            name, _, rest = rest.rpartition(") ")
            state, parent = rest.split()[:2]
            if state not in "ZX":
                parents[int(pid)] = (int(parent), name)
    found, front = [], {os.getpid()}
    while front:
        front = {pid for pid, (parent, _) in parents.items() if parent in front}
        found += [f"{pid} {parents[pid][0]} {parents[pid][1]}" for pid in sorted(front)]
    return found


def _grows(count: Callable[[], int], known: int) -> bool:
    """Whether the count stays above what is known, also when the dying had time to die."""
    end = time.monotonic() + _SETTLE_SECONDS
    while count() > known:
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False


def _listen(family: int, address: Any) -> socket.socket:
    server = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    server.bind(address)
    server.listen()
    return server


def _bind(address: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    server.bind(address)
    return server


def _visited(server: socket.socket) -> bool:
    try:
        if server.type & socket.SOCK_DGRAM:
            server.recv(100)
        else:
            server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _planted() -> set[str]:
    """Return the files of a telling name in the places that are usually writable."""
    return {str(path) for place in _PLACES for path in Path(place).expanduser().glob(_PLANTED)}


def _system_v_objects() -> list[str]:
    found = []
    for kind in ("shm", "sem", "msg"):
        with suppress(OSError):
            for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
                if int(line.split()[0]) in _SYSTEM_V_KEYS:
                    found.append(f"{kind} {line}")
    return found


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
