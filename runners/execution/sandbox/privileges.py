"""Privileges: no capability, no way to gain one, and as root a user id that nobody else has.

Covers everything that root or a capability would allow (in the worker's own user namespace, too), and
keeps workers from signalling each other where no pid namespace does. Does NOT change what an ordinary
user may do to his own files and processes: Landlock, the mount namespace and seccomp do.

One capability stays in one case, as the lesser evil: without a mount namespace an interpreter in root's home
can be read by root only, or by somebody with CAP_DAC_READ_SEARCH, whom Landlock confines to the
interpreter as it does everybody, and who can write nothing.
"""

import contextlib
import os
import struct

from turnwise.runners.execution.sandbox import libc

_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_READ_ANYWHERE = 1 << 2  # CAP_DAC_READ_SEARCH
FIRST_ID = 0x70000000  # far above what any system gives out; as many follow
NOBODY = 65534


def choose_id() -> int:
    """Return the user id to give up root for: one that no other worker has, or NOBODY, or 0 where none may be taken.

    It is drawn, since a process id says nothing: in a pid namespace of their own all workers have the same.
    """
    own = FIRST_ID + int.from_bytes(os.urandom(4), "little") % FIRST_ID
    for number in (own, NOBODY):
        try:
            os.seteuid(number)
        except OSError:  # as in some containers
            continue
        os.seteuid(0)
        return number
    return 0


def become(number: int, needed: str, *, owned: str) -> int:
    """Give up root for the user and group ``number``, who gets the folder ``owned``.

    Returns the capabilities to keep: 0, or what it takes to read ``needed``.
    """
    os.seteuid(number)
    readable = os.access(needed, os.R_OK, effective_ids=True)
    os.seteuid(0)
    if owned:
        os.chown(owned, number, number)
    if not readable:
        libc.prctl(libc.PR_SET_KEEPCAPS, 1)
    with contextlib.suppress(PermissionError):  # denied in some containers, which then have none to lose
        os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)
    return 0 if readable else _READ_ANYWHERE


def drop_capabilities(*, keep: int = 0) -> None:
    """Empty every capability set but for ``keep``, and forbid gaining new ones."""
    for number in range(_LAST_CAPABILITY + 1):
        try:
            libc.prctl(libc.PR_CAPBSET_DROP, number)
        except OSError:  # unknown to this kernel, or not ours to drop: capset below empties the rest
            continue
    with contextlib.suppress(OSError):  # before Linux 4.3
        libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_CLEAR_ALL)
    sets = struct.pack("<6I", keep, keep, 0, 0, 0, 0)  # effective, permitted, inheritable; then those above 31
    libc.syscall("capset", struct.pack("<Ii", _CAPABILITY_VERSION, 0), sets)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
