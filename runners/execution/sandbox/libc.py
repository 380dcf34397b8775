"""The C library as the sandbox calls it: system calls by name, prctl, mounts and fork, errors as OSError.

``raw_fork`` skips Python's at-fork hooks, which touch some 150 pages and so cost more than the fork
itself. That is sound only in a process with a single thread, as the zygote and the runner are.

The numbers of the system calls are our own table, because it is read inside the sandbox by whatever interpreter runs
the programs: a binding of libseccomp would have to be installed there, in its version, and would build a filter that
cannot be compiled for the other architecture and inspected. A test compares the table with the kernel's headers. It
holds only what a filter allows or a layer calls; everything else is refused without a name.
"""

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

X86_64 = "x86_64"
AARCH64 = "aarch64"
# name: (x86-64, aarch64); None where an architecture never had the call.
_NUMBERS = {
    "access": (21, None),
    "alarm": (37, None),
    "arch_prctl": (158, None),
    "brk": (12, 214),
    "capset": (126, 91),
    "chdir": (80, 49),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "epoll_wait": (232, None),
    "eventfd2": (290, 19),
    "execve": (59, 221),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fadvise64": (221, 223),
    "fchdir": (81, 50),
    "fcntl": (72, 25),
    "fdatasync": (75, 83),
    "fork": (57, None),
    "fstat": (5, 80),
    "fstatfs": (138, 44),
    "fsync": (74, 82),
    "ftruncate": (77, 46),
    "futex": (202, 98),
    "futex_waitv": (449, 449),
    "getcpu": (309, 168),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getgroups": (115, 158),
    "getitimer": (36, 102),
    "getpgid": (121, 155),
    "getpgrp": (111, None),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getpriority": (140, 141),
    "getrandom": (318, 278),
    "getresgid": (120, 150),
    "getresuid": (118, 148),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "getsid": (124, 156),
    "getsockname": (51, 204),
    "getsockopt": (55, 209),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "ioctl": (16, 29),
    "kill": (62, 129),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "membarrier": (324, 283),
    "memfd_create": (319, 279),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "msync": (26, 227),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "open": (2, None),
    "openat": (257, 56),
    "pause": (34, None),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "pivot_root": (155, 41),
    "poll": (7, None),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "preadv": (295, 69),
    "preadv2": (327, 286),
    "prlimit64": (302, 261),
    "pselect6": (270, 72),
    "pwrite64": (18, 68),
    "pwritev": (296, 70),
    "pwritev2": (328, 287),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "recvfrom": (45, 207),
    "recvmsg": (47, 212),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "restart_syscall": (219, 128),
    "rmdir": (84, None),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigpending": (127, 136),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "rt_sigsuspend": (130, 133),
    "rt_sigtimedwait": (128, 137),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_yield": (24, 124),
    "seccomp": (317, 277),
    "select": (23, None),
    "sendto": (44, 206),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "setitimer": (38, 103),
    "setrlimit": (160, 164),
    "shutdown": (48, 210),
    "sigaltstack": (131, 132),
    "socketpair": (53, 199),
    "stat": (4, None),
    "statfs": (137, 43),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "tgkill": (234, 131),
    "time": (201, None),
    "times": (100, 153),
    "umask": (95, 166),
    "uname": (63, 160),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "vfork": (58, None),
    "wait4": (61, 260),
    "waitid": (247, 95),
    "write": (1, 64),
    "writev": (20, 66),
}
_COLUMNS = {X86_64: 0, AARCH64: 1}


def numbers_of(machine: str) -> "dict[str, int]":
    """Return name -> number for ``machine`` as os.uname names it; raises KeyError for another one."""
    column = _COLUMNS[machine]
    pairs = ((name, pair[column]) for name, pair in _NUMBERS.items())
    return {name: number for name, number in pairs if number is not None}


def running_machine() -> str:
    """Return the architecture of the running kernel."""
    return os.uname().machine


PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 8, 24, 36, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4

NUMBERS = numbers_of(running_machine())
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
# PyDLL keeps the interpreter lock: nothing is switched or re-acquired around a call in a fresh child. Without
# argtypes and errno a call makes no objects; an integer is passed as an int, bytes as their address.
_direct = ctypes.PyDLL(None)
raw_fork = _direct.fork
raw_syscall = _direct.syscall


def check(result: int, what: str) -> int:
    """Return ``result``; raises OSError naming ``what`` if it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


def syscall(name: str, *arguments: "object") -> int:
    """Make the system call ``name``; integers are passed as unsigned longs."""
    words = [ctypes.c_ulong(item & (2**64 - 1)) if isinstance(item, int) else item for item in arguments]
    return check(_libc.syscall(ctypes.c_long(NUMBERS[name]), *words), name)


def prctl(option: int, value: int = 0, third: int = 0) -> int:
    """Set a property of the process."""
    words = [ctypes.c_ulong(item) for item in (value, third, 0, 0)]
    return check(_libc.prctl(ctypes.c_int(option), *words), "prctl %d" % option)


def mount(source: "str | None", target: str, kind: "str | None" = None, flags: int = 0, data: str = "") -> None:
    """Mount, bind or remount."""
    texts = [None if item is None else os.fsencode(item) for item in (source, target, kind)]
    check(_libc.mount(*texts, ctypes.c_ulong(flags), data.encode() or None), "mount " + target)


def unmount(target: str) -> None:
    """Detach a mount; what is open below it stays usable."""
    check(_libc.umount2(os.fsencode(target), 2), "umount " + target)


def unshare(flags: int) -> None:
    """Move into new namespaces."""
    check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def set_default_thread_stack(size: int) -> None:
    """Give threads that ask for no size a stack of ``size`` bytes; Python then still knows of no size of its own."""
    attributes = ctypes.create_string_buffer(128)  # more than a pthread_attr_t has
    _libc.pthread_attr_init(attributes)
    _libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(size))
    _libc.pthread_setattr_default_np(attributes)
