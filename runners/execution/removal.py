"""Removing what a hostile program left: any depth, any number, any mode, and no link is followed.

It works on open folders, one at a time and its parent's identity in mind, so no path grows and nothing recurses; a
folder that its owner may not read or change is made readable first. Nothing may be running in the folder any more.
"""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass

_OPEN_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNERS_RIGHTS = 0o700
_FOLDERS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class _Above:
    """A folder above the current one: its device and inode, the current one's name in it, its other folders."""

    identity: tuple[int, int]
    name: str
    others: list[str]


def empty_folder(descriptor: int) -> None:
    """Remove everything in the open folder; raises OSError for what cannot be removed."""
    current = os.open(".", _OPEN_FLAGS, dir_fd=descriptor)
    above: list[_Above] = []
    folders: list[str] = []
    try:
        while True:
            folders = folders or _remove_files(current)
            if folders:
                name = folders.pop()
                below = open_folder(name, current)
                above.append(_Above(_identity(current), name, folders))
                os.close(current)
                current, folders = below, []
            elif above:
                last = above.pop()
                parent = os.open("..", _OPEN_FLAGS, dir_fd=current)
                os.close(current)
                current, folders = parent, last.others
                if _identity(current) != last.identity:
                    raise OSError("a folder was moved while it was removed")
                os.rmdir(last.name, dir_fd=current)
            else:
                return
    finally:
        os.close(current)


def remove_folder(path: str) -> None:
    """Remove the folder ``path`` and everything in it, as far as that can be done; raises nothing."""
    with suppress(OSError):
        descriptor = open_folder(path)
        try:
            empty_folder(descriptor)
        finally:
            os.close(descriptor)
        os.rmdir(path)


def _remove_files(descriptor: int) -> list[str]:
    """Remove what is no folder and return some of the folders, all of them if they are few."""
    folders: list[str] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name, dir_fd=descriptor)
            elif len(folders) < _FOLDERS_AT_ONCE:
                folders.append(entry.name)
    return folders


def open_folder(name: str, parent: int | None = None) -> int:
    """Return a descriptor of the folder, which gets all rights of its owner first; no link is followed."""
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        mode = stat.S_IMODE(os.fstat(place).st_mode)
        if mode & _OWNERS_RIGHTS != _OWNERS_RIGHTS:
            os.chmod(f"/proc/self/fd/{place}", mode | _OWNERS_RIGHTS)
        return os.open(".", _OPEN_FLAGS, dir_fd=place)
    finally:
        os.close(place)


def _identity(descriptor: int) -> tuple[int, int]:
    details = os.fstat(descriptor)
    return details.st_dev, details.st_ino
