"""Privileges: no capability, no way to gain one, and as root a user id that nobody else has.

Covers everything that root or a capability would allow (in the worker's own user namespace, too), and
keeps workers from signalling each other where no pid namespace does. Does NOT change what an ordinary
user may do to his own files and processes: Landlock, the mount namespace and seccomp do.
"""

import os
import struct

from turnwise.runners.execution.sandbox import libc

_CAPABILITY_VERSION = 0x20080522
_LAST_CAPABILITY = 63
_FIRST_ID = 0x70000000  # far above what any system gives out
_NOBODY = 65534


def become_nobody(needed: str, *, owned: str) -> None:
    """Give up root for an id of this worker's own, or that of nobody, who gets the folder ``owned``.

    Stays root (without capabilities) where neither may be taken, as in some containers, or where it could
    not read ``needed``, as for an interpreter in root's home without a mount namespace.
    """
    for number in (_FIRST_ID + os.getpid() % _FIRST_ID, _NOBODY):
        try:
            os.seteuid(number)
        except OSError:
            continue
        readable = os.access(needed, os.R_OK, effective_ids=True)
        os.seteuid(0)
        if readable:
            if owned:
                os.chown(owned, number, number)
            os.setgroups([])
            os.setresgid(number, number, number)
            os.setresuid(number, number, number)
            return


def drop_capabilities() -> None:
    """Empty every capability set and forbid gaining new ones."""
    for number in range(_LAST_CAPABILITY + 1):
        try:
            libc.prctl(libc.PR_CAPBSET_DROP, number)
        except OSError:  # unknown to this kernel, or not ours to drop: capset below empties the rest
            continue
    try:
        libc.prctl(libc.PR_CAP_AMBIENT, libc.PR_CAP_AMBIENT_CLEAR_ALL)
    except OSError:  # before Linux 4.3
        pass
    libc.syscall("capset", struct.pack("<Ii", _CAPABILITY_VERSION, 0), b"\0" * 24)
    libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
