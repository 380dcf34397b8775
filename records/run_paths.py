"""Paths inside a run folder, which may be somebody else's: built here alone, and checked as they are built.

A name out of a run's files is one plain name, and what is there already is a folder or a file: no link, so that
nothing outside is read or written, and no pipe or device, so that nothing waits for ever. The run folder itself, and
what leads to it, is the user's to name, links included.
"""

import os
import re
import stat
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.texts import shown

PLAIN_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.+=-]{0,199}")
_REMEDY = "a run folder holds files and folders alone: remove it, or do not use this folder"


def inside(folder: Path, *names: str) -> Path:
    """Return ``folder``/names...; raises TurnwiseError for a name that is none, or for a link, pipe or device there."""
    path = folder
    for name in names:
        if not PLAIN_NAME.fullmatch(name):
            raise TurnwiseError(f"{shown(name)} in the run folder {str(folder)!r} is no name of a file: do not use it.")
        path = _checked(path / name)
    return path


def files_inside(folder: Path, *, ending: str) -> list[Path]:
    """Return the files in a ``folder`` of a run whose names end in ``ending``, sorted; none where it is not there.

    Raises TurnwiseError for a link, pipe or device of such a name.
    """
    try:
        names = sorted(path.name for path in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [_checked(folder / name) for name in names if name.endswith(ending) and not name.startswith(".")]


def _checked(path: Path) -> Path:
    try:
        mode = os.lstat(path).st_mode
    except OSError:  # what is not there yet can be no link
        return path
    if stat.S_ISLNK(mode):
        raise TurnwiseError(f"{str(path)!r} is a link, and links are not followed; {_REMEDY}.")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise TurnwiseError(f"{str(path)!r} is a pipe or a device; {_REMEDY}.")
    return path
