"""seccomp: the system calls that a Python program of one process needs; every other is refused.

Covers starting processes and programs, signals to any other process, SIGKILL, sockets (but for a stream pair
within the process, which asyncio needs), ptrace, io_uring, bpf, keys, perf, userfaultfd, namespaces,
mounts, memory files, and whatever the kernel learns next. Does NOT look at paths or other memory, so
which files may be opened is the part of Landlock and of the mount namespace.

There are two filters. The zygote loads the large one, which also its runners and all children are under; it
leaves out what only they need, forking above all. Each child then loads the small one before the
program's first instruction, which takes that away, too: loading a filter costs 3 microseconds for each of its
instructions on the path of an ordinary call, and every test pays for the second.

The filters are written in names and compiled for an architecture, the large one as a binary tree over the
numbers. Calls are refused with EPERM, which Python reports as an exception; unknown new ones with ENOSYS,
which lets the C library fall back.
"""

import ctypes
import os
import struct

from turnwise.runners.execution.sandbox import libc
from turnwise.runners.execution.sandbox.libc import AARCH64, X86_64, numbers_of, running_machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Tuple

    Block = List[bytes]
    Rules = Dict[str, Block]

EPERM, EINVAL, ENOTTY, ENOSYS = 1, 22, 25, 38
_ARCHITECTURES = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}
_LOAD, _JUMP, _EQUAL, _ABOVE_OR_EQUAL, _ABOVE, _ANY_BIT, _RETURN = 0x20, 0x05, 0x15, 0x35, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
_OWN_PID = 0x7FFFFFF0  # stands for the child's pid until the filter is loaded; no process ever has it
_SET_FILTER, _NO_SPECULATION_SWITCH = 1, 4
_NEWEST = 480

_NAMES = """
access alarm brk chdir clock_getres clock_gettime clock_nanosleep close close_range dup dup2 dup3 epoll_create1
epoll_ctl epoll_pwait epoll_wait eventfd2 exit exit_group faccessat faccessat2 fadvise64 fchdir fdatasync fstat
fstatfs fsync ftruncate futex futex_waitv getcpu getcwd getdents64 getegid geteuid getgid getgroups getitimer
getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname
getsockopt gettid gettimeofday getuid lseek lstat madvise membarrier mmap mprotect mremap msync munmap nanosleep
newfstatat pause pipe pipe2 poll ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readlink
readlinkat readv restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend
rt_sigtimedwait sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler
sched_yield select set_robust_list set_tid_address setitimer shutdown sigaltstack stat statfs statx sysinfo time
times umask uname wait4 waitid write writev
"""
_PLAIN = _NAMES.split()
_OF_FOLDERS = ["mkdir", "mkdirat", "rename", "renameat", "renameat2", "rmdir", "unlink", "unlinkat"]

_SIGKILL = 9

_THREAD, _NEW_NAMESPACES = 0x10000, 0x7E020080
_TRUNCATE, _ACCESS_MODE = os.O_TRUNC, os.O_ACCMODE
_RLIMIT_CPU, _RLIMIT_STACK = 0, 3
_PR_SET_NAME, _PR_GET_NAME = 15, 16
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
_FCNTLS = (0, 1, 2, 3, 4, 1030, 1032)  # DUPFD GETFD SETFD GETFL SETFL DUPFD_CLOEXEC GETPIPE_SZ
_OUT_OF_BAND = 1


def _step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("<HBBI", code, then, otherwise, value & 0xFFFFFFFF)


def _low(argument: int) -> bytes:
    return _step(_LOAD, 16 + 8 * argument)


def _high(argument: int) -> bytes:
    return _step(_LOAD, 20 + 8 * argument)


_YES = _step(_RETURN, _ALLOW)


def _no(number: int) -> bytes:
    return _step(_RETURN, _ERROR | number)


def _one_of(argument: int, values: "Tuple[int, ...]", error: int) -> "Block":
    tests = [_step(_EQUAL, value, len(values) - index) for index, value in enumerate(values)]
    return [_low(argument), *tests, _no(error), _YES]


def _no_bit(argument: int, mask: int) -> "Block":
    return [_low(argument), _step(_ANY_BIT, mask, 0, 1), _no(EPERM), _YES]


def _open_block(flags: int) -> "Block":
    # Before ABI 3 Landlock lets a file that may be read be truncated by opening it.
    return [
        _low(flags),
        _step(_ANY_BIT, _TRUNCATE, 1, 0),
        _YES,
        _step(_ANY_BIT, _ACCESS_MODE, 1, 0),
        _no(EPERM),
        _YES,
    ]


def worker_rules(*, writable: bool, stack_pretends: bool) -> "Rules":
    """Return name -> instructions for every call that the zygote and its children may make."""
    blocks = {name: [_YES] for name in (_PLAIN + _OF_FOLDERS if writable else _PLAIN)}
    blocks["open"], blocks["openat"] = _open_block(1), _open_block(2)
    blocks["clone"] = _no_bit(0, _NEW_NAMESPACES)
    blocks["clone3"] = [_no(ENOSYS)]  # its flags lie in memory; the C library falls back to clone
    blocks["kill"] = blocks["tgkill"] = [_YES]
    # The death of a parent may be made deadly, but not harmless again.
    blocks["prctl"] = [_low(0), _step(_EQUAL, libc.PR_SET_PDEATHSIG, 0, 2), _low(1), _step(_EQUAL, _SIGKILL, 2, 3)]
    blocks["prctl"] += [_step(_EQUAL, _PR_SET_NAME, 1), _step(_EQUAL, _PR_GET_NAME, 0, 1), _YES, _no(EPERM)]
    blocks["seccomp"] = _one_of(1, (_NO_SPECULATION_SWITCH,), EPERM)
    blocks["ioctl"] = _one_of(1, _IOCTLS, ENOTTY)
    blocks["fcntl"] = _one_of(1, _FCNTLS, EINVAL)
    # A stream within the process: AF_UNIX, and type 1 below the flags. Nothing can send a descriptor.
    blocks["socketpair"] = [_low(0), _step(_EQUAL, 1, 1), _no(EPERM), _low(1), *_masked_type()]
    blocks["sendto"], blocks["recvfrom"], blocks["recvmsg"] = (_no_bit(flags, _OUT_OF_BAND) for flags in (3, 3, 2))
    blocks.update(_limit_rules(stack_pretends=stack_pretends))
    return blocks


def _limit_rules(*, stack_pretends: bool) -> "Rules":
    # Lowering a limit is a program's right; raising the stack's is a common idiom and must not fail even
    # where the login's hard limit forbids it.
    stack = _no(0) if stack_pretends else _YES
    of_stack = [_step(_EQUAL, _RLIMIT_STACK, 0, 1), stack, _YES]
    reading = [_low(2), _step(_EQUAL, 0, 0, 3), _high(2), _step(_EQUAL, 0, 0, 1), _YES]
    return {
        "prlimit64": [_low(0), _step(_EQUAL, 0, 1), _no(EPERM), *reading, _low(1), *of_stack],
        "setrlimit": [_low(0), *of_stack],
    }


def child_rules() -> "Rules":
    """Return name -> instructions for the calls of ``worker_rules`` that a program may not make as well.

    It cannot end itself by SIGKILL: so that signal is always the machine's, which is out of memory, say. A CPU limit of
    its own, which ends in SIGKILL too, is answered with success and not set.
    """
    setting = [_low(2), _step(_EQUAL, 0, 0, 2), _high(2), _step(_EQUAL, 0, 1, 0), _no(0), _YES]
    return {
        "clone": [_low(0), _step(_ANY_BIT, _THREAD, 1, 0), _no(EPERM), _YES],
        "kill": _own_signal(1),
        "tgkill": _own_signal(2),
        "prlimit64": [_low(0), _step(_EQUAL, 0, 0, 7), _low(1), _step(_EQUAL, _RLIMIT_CPU, 0, 5), *setting],
        "setrlimit": [_low(0), _step(_EQUAL, _RLIMIT_CPU, 0, 1), _no(0), _YES],
    }


def _own_signal(number: int) -> "Block":
    own = [_low(0), _step(_EQUAL, _OWN_PID, 0, 2)]
    return [*own, _low(number), _step(_EQUAL, _SIGKILL, 0, 1), _no(EPERM), _YES]


def _masked_type() -> "Block":
    mask_with = 0x54  # AND with a constant
    return [_step(mask_with, 0xF), _step(_EQUAL, 1, 1), _no(EPERM), _YES]


def compile_tree(blocks: "Rules", machine: str) -> bytes:
    """Return a program that refuses what ``blocks`` does not name; names that ``machine`` lacks are left out."""
    by_number = _by_number(blocks, machine)
    starts: List[Tuple[int, Block]] = []
    for number in range(_NEWEST):
        block = by_number.get(number, [_no(EPERM)])
        if not starts or block != starts[-1][1]:
            starts.append((number, block))
    starts.append((_NEWEST, [_no(ENOSYS)]))
    entry = [_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, _ARCHITECTURES[machine], 1), _step(_RETURN, _KILL)]
    return b"".join([*entry, _step(_LOAD, _NUMBER), *_tree(starts)])


def compile_list(blocks: "Rules", machine: str) -> bytes:
    """Return a program that allows what ``blocks`` does not name; for use beside one that checks the machine."""
    code = [_step(_LOAD, _NUMBER)]
    for number, block in sorted(_by_number(blocks, machine).items()):
        code += [_step(_EQUAL, number, 0, len(block)), *block]
    return b"".join([*code, _YES])


def _by_number(blocks: "Rules", machine: str) -> "Dict[int, Block]":
    numbers = numbers_of(machine)
    return {numbers[name]: block for name, block in blocks.items() if name in numbers}


def _tree(starts: "List[Tuple[int, Block]]") -> "Block":
    if len(starts) == 1:
        return starts[0][1]
    middle = len(starts) // 2
    left, right = _tree(starts[:middle]), _tree(starts[middle:])
    if len(left) <= 255:
        return [_step(_ABOVE_OR_EQUAL, starts[middle][0], len(left)), *left, *right]
    return [_step(_ABOVE_OR_EQUAL, starts[middle][0], 0, 1), _step(_JUMP, len(left)), *left, *right]


class Filter:
    """A compiled filter in memory, ready to be loaded by the process whose pid it expects."""

    def __init__(self, code: bytes) -> None:
        self._memory = bytearray(code)
        self._anchor = (ctypes.c_char * len(code)).from_buffer(self._memory)
        self._program = struct.pack("@HP", len(code) // 8, ctypes.addressof(self._anchor))
        mark = struct.pack("<I", _OWN_PID)
        places = [at + 4 for at in range(0, len(code), 8) if code[at + 4 : at + 8] == mark]
        self._pids = [slice(at, at + 4) for at in places]
        self._number = libc.NUMBERS["seccomp"]
        self.pid = 0

    def expect(self, pid: int) -> None:
        """Make it the filter of the process ``pid``, the only one that may then be signalled."""
        own = pid.to_bytes(4, "little")
        for place in self._pids:
            self._memory[place] = own
        self.pid = pid

    def load(self) -> None:
        """Confine this process for good; raises OSError if the kernel refuses."""
        if libc.raw_syscall(self._number, _SET_FILTER, _NO_SPECULATION_SWITCH, self._program):
            raise OSError(EINVAL, "the kernel has no seccomp filters")


def worker_filter(*, writable: bool, stack_pretends: bool) -> Filter:
    """Return the filter that a zygote loads, for all its children."""
    blocks = worker_rules(writable=writable, stack_pretends=stack_pretends)
    return Filter(compile_tree(blocks, running_machine()))


def child_filter() -> Filter:
    """Return the filter that each child loads besides."""
    return Filter(compile_list(child_rules(), running_machine()))
