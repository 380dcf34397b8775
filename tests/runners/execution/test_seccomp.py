"""The filters refuse what they should on both architectures; the programs are interpreted here, not loaded."""

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from turnwise.runners.execution.sandbox import seccomp
from turnwise.runners.execution.sandbox.libc import AARCH64, X86_64, numbers_of

ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
ARCHITECTURES = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}
THREAD = 0x3D0F00  # the flags with which the C library makes a thread
MACHINES = [X86_64, AARCH64]


def _interpret(code: bytes, data: bytes) -> int:
    """Run a classic BPF program on ``data``; returns what it returns."""
    steps = list(struct.iter_unpack("<HBBI", code))
    at, value = 0, 0
    while True:
        operation, then, otherwise, constant = steps[at]
        at += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("<I", data, constant)
        elif operation == 0x06:
            return int(constant)
        elif operation == 0x54:
            value &= constant
        elif operation == 0x05:
            at += constant
        else:
            met = {0x15: value == constant, 0x35: value >= constant, 0x25: value > constant, 0x45: value & constant}
            at += then if met[operation] else otherwise


def _answers(machine: str, name: str | int, *arguments: int, child: bool = True, writable: bool = False) -> int:
    """Return what a call gets under both filters: the stricter answer, as the kernel does."""
    number = name if isinstance(name, int) else numbers_of(machine)[name]
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<iIQ6Q", number, ARCHITECTURES[machine], 0, *words)
    large = seccomp.compile_tree(seccomp.worker_rules(writable=writable, stack_pretends=False), machine)
    small = seccomp.compile_list(seccomp.child_rules(), machine)
    answers = [_interpret(large, data)] + ([_interpret(small, data)] if child else [])
    return min(answers)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clone", (17,)),
        ("clone", (THREAD | 0x10000000,)),
        ("kill", (1, 9)),
        ("kill", (1, 15)),
        ("kill", (0x7FFFFFF0, 9)),
        ("tgkill", (1, 1, 9)),
        ("tgkill", (1, 1, 15)),
        ("tgkill", (0x7FFFFFF0, 1, 9)),
        ("prctl", (38, 1)),
        ("prctl", (1, 0)),
        ("prlimit64", (1, 0, 1)),
        ("socketpair", (2, 1)),
        ("socketpair", (1, 2)),
        ("seccomp", (1, 8)),
        ("ioctl", (0, 0x5412)),
        ("fcntl", (0, 1031)),
        ("sendto", (0, 0, 0, 1)),
        ("openat", (0, 0, os.O_TRUNC)),
        ("execve", ()),
        ("memfd_create", ()),
        ("pivot_root", ()),
        ("capset", ()),
        ("unlinkat", ()),
    ],
)
def test_a_program_is_refused(machine: str, name: str, arguments: tuple[int, ...]) -> None:
    """Other processes, other programs, other namespaces, memory files and changes of folders."""
    answer = _answers(machine, name, *arguments)
    assert answer & 0xFFFF0000 == ERROR
    assert answer & 0xFFFF != 0


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("clone", (THREAD,)),
        ("kill", (0x7FFFFFF0, 15)),
        ("tgkill", (0x7FFFFFF0, 1, 6)),
        ("tgkill", (0x7FFFFFF0, 9, 6)),
        ("prctl", (15,)),
        ("prlimit64", (0, 3, 1)),
        ("prlimit64", (0, 7)),
        ("prlimit64", (0, 0, 0)),
        ("prlimit64", (0, 7, 1)),
        ("setrlimit", (7, 1)),
        ("socketpair", (1, 0x80801)),
        ("ioctl", (0, 0x5401)),
        ("fcntl", (0, 1030)),
        ("openat", (0, 0, os.O_TRUNC | os.O_CREAT | os.O_WRONLY)),
        ("read", ()),
        ("mmap", ()),
        ("futex", ()),
        ("exit_group", ()),
    ],
)
def test_a_program_is_allowed(machine: str, name: str, arguments: tuple[int, ...]) -> None:
    """Threads, signals to itself (0x7FFFFFF0 stands for its pid), limits, and plain input and output."""
    assert _answers(machine, name, *arguments) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_the_zygote_may_fork_and_end_its_children_and_no_more(machine: str) -> None:
    """The large filter alone lets the worker do its work, without new namespaces."""
    assert _answers(machine, "clone", 17, child=False) == ALLOW
    assert _answers(machine, "kill", 2**64 - 1, 9, child=False) == ALLOW
    assert _answers(machine, "prctl", 1, 9, child=False) == ALLOW
    assert _answers(machine, "clone", 17 | 0x10000000, child=False) == ERROR | seccomp.EPERM
    assert _answers(machine, "execve", child=False) == ERROR | seccomp.EPERM


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_has_an_answer(machine: str) -> None:
    """Each is allowed or refused in order; those of tomorrow are unknown, so that libraries fall back."""
    for number in range(600):
        assert _answers(machine, number) & 0xFFFF0000 in (ALLOW, ERROR)
    assert _answers(machine, 1000) == ERROR | seccomp.ENOSYS
    assert _answers(machine, "clone3") == ERROR | seccomp.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_of_another_architecture_kills(machine: str) -> None:
    """Numbers mean other calls there."""
    code = seccomp.compile_tree(seccomp.worker_rules(writable=False, stack_pretends=False), machine)
    assert _interpret(code, struct.pack("<iIQ6Q", 0, 0x40000003, *[0] * 7)) == KILL


@pytest.mark.parametrize("machine", MACHINES)
def test_folders_change_only_for_programs_with_files(machine: str) -> None:
    """Making, renaming and removing is allowed by the writable kind alone."""
    for name in ("mkdirat", "renameat2", "unlinkat"):
        assert _answers(machine, name, writable=True) == ALLOW
        assert _answers(machine, name) == ERROR | seccomp.EPERM


def test_raising_the_stack_can_pretend_to_work() -> None:
    """Where the login's hard limit forbids it the call answers success; other limits are the kernel's matter."""
    code = seccomp.compile_tree(seccomp.worker_rules(writable=False, stack_pretends=True), X86_64)
    entry = (numbers_of(X86_64)["prlimit64"], ARCHITECTURES[X86_64], 0)
    assert _interpret(code, struct.pack("<iIQ6Q", *entry, 0, 3, 1, 0, 0, 0)) == ERROR
    assert _interpret(code, struct.pack("<iIQ6Q", *entry, 0, 7, 1, 0, 0, 0)) == ALLOW
    assert _interpret(code, struct.pack("<iIQ6Q", *entry, 0, 3, 0, 0, 0, 0)) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments"), [("prlimit64", (0, 0, 1)), ("prlimit64", (0, 0, 1 << 32)), ("setrlimit", (0, 1))]
)
def test_a_cpu_limit_of_its_own_pretends_to_work(machine: str, name: str, arguments: tuple[int, ...]) -> None:
    """It would end in SIGKILL, which is the machine's alone; the runner, without the child's filter, sets one."""
    assert _answers(machine, name, *arguments) == ERROR
    assert _answers(machine, name, *arguments, child=False) == ALLOW


def test_the_filters_are_small() -> None:
    """Loading costs grow with the instructions on an ordinary call's path."""
    large = seccomp.compile_tree(seccomp.worker_rules(writable=False, stack_pretends=False), X86_64)
    small = seccomp.compile_list(seccomp.child_rules(), X86_64)
    assert len(large) // 8 < 320
    assert len(small) // 8 < 40
    assert len(seccomp.child_rules()) + 2 < 10  # on the path of a call that the small one does not name


HEADERS = {
    X86_64: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    AARCH64: Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_the_kernels(machine: str) -> None:
    """The table agrees with the kernel's headers."""
    if not HEADERS[machine].exists():
        pytest.skip(f"the kernel's headers are not here: {HEADERS[machine]}")
    text = HEADERS[machine].read_text()
    known = {match[1]: int(match[2]) for match in re.finditer(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    known["newfstatat"] = known.get("newfstatat", known.get("fstatat", 0))
    assert {name: known.get(name) for name in numbers_of(machine)} == numbers_of(machine)


def test_a_loaded_filter_confines_a_process() -> None:
    """Both filters in a real process: it can signal itself, but not fork or signal its parent."""
    code = """
import ctypes, os
from turnwise.runners.execution.sandbox import libc, seccomp
libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
small = seccomp.child_filter()
small.expect(os.getpid())
seccomp.worker_filter(writable=False, stack_pretends=False).load()
small.load()
os.kill(os.getpid(), 0)
for attempt in (os.fork, lambda: os.kill(os.getppid(), 0), lambda: os.system("true") and 1 / 0):
    try:
        attempt()
    except (PermissionError, ZeroDivisionError):
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 3
