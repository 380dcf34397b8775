"""Landlock: what may be read, and the few things that may be written; everything else is refused.

Covers opening, listing, creating, removing and renaming files; from ABI 3 truncating; from ABI 4 TCP; from
ABI 5 device ioctls; from ABI 6 signals to processes outside and abstract UNIX sockets; from ABI 7 it keeps
refusals out of the kernel log. Does NOT cover stat, chdir or readlink (existence and size of files can
be seen where no mount namespace hides them), UNIX sockets with a path, or UDP: seccomp refuses sockets.
No execute right is given, so nothing can be started.
"""

import ctypes
import errno
import os
import struct

from turnwise.runners.execution.sandbox import libc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable

_VERSION, _PATH_BENEATH, _QUIET = 1, 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_CHANGE_FOLDER = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13  # remove, make a folder or a file, rename
_OF_FILES = _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15
_HANDLED_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_HANDLED_NEWEST = (1 << 16) - 1


def abi_version() -> int:
    """Return the kernel's Landlock ABI, 0 if it has none."""
    try:
        return libc.syscall("landlock_create_ruleset", 0, 0, _VERSION)
    except OSError:
        return 0


def handled_rights(abi: int) -> "tuple[int, int, int]":
    """Return the rights of files, TCP and scopes that a ruleset of ``abi`` takes away."""
    return _HANDLED_BY_ABI.get(abi, _HANDLED_NEWEST), 3 if abi >= 4 else 0, 3 if abi >= 6 else 0


def restrict(
    readable: "Iterable[str]",
    *,
    listable: "Iterable[str]" = (),
    writable_files: "Iterable[str]" = (),
    writable_folder: str = "",
) -> int:
    """Confine this process and its children for good; returns the ABI, raises OSError without Landlock."""
    abi = abi_version()
    if abi < 1:
        raise OSError("this kernel has no Landlock (5.13 or newer, with landlock in its lsm= list, has it)")
    files, network, scopes = handled_rights(abi)
    attributes = struct.pack("<QQQ", files, network, scopes)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = libc.syscall("landlock_create_ruleset", attributes, size, 0)
    for path in readable:
        _allow(ruleset, path, (_READ_FILE | _READ_DIR) & files)
    for path in listable:
        _allow(ruleset, path, _READ_DIR)
    for path in writable_files:
        _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & files)
    if writable_folder:
        _allow(ruleset, writable_folder, (_OF_FILES & ~(1 << 15) | _READ_DIR | _CHANGE_FOLDER) & files)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    libc.syscall("landlock_restrict_self", ruleset, _QUIET if abi >= 7 else 0)
    os.close(ruleset)
    return abi


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not there, so nothing to allow
        return
    try:
        if not os.path.isdir(path):
            rights &= _OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("<Qi", rights, folder), 12)
        libc.syscall("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
    except OSError as error:
        if error.errno != errno.EBADFD:  # a memory file behind /dev/stdin, which Landlock leaves alone
            raise
    finally:
        os.close(folder)
