"""What the interpreter is before the first program: its packages, the modules loaded, nothing of ours in sight.

The interpreter is started without its ``site`` module's startup, which may cost more than all the rest (hooks
of editable installs) and follows .pth files to places that programs must not see; what programs rely on
of it is done here.
"""

import _imp
import contextlib
import os
import site
import sys

from turnwise.runners.execution import child
from turnwise.runners.execution.sandbox import libc, scheduling, warm_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import List

_EXECUTABLE = "/usr/bin/python3"  # its own would tell a home, and so a user
# What programs import most; each costs a little at every fork, so rare ones are left to the programs.
_PRELOADED = """
abc array atexit bisect collections collections.abc contextlib copy dataclasses datetime decimal enum fractions
functools heapq io itertools json linecache math numbers operator os queue random re resource signal string struct
sys textwrap threading time traceback types typing
"""


def prepare(*, numpy: bool) -> None:
    """Make the interpreter ready; it opens no descriptor that stays."""
    _use_packages()
    for name in _PRELOADED.split():
        __import__(name)
    warm_up.warm_up()
    if numpy:
        with contextlib.suppress(ImportError):  # one that is broken is the program's to meet
            __import__("numpy")
    # RLIMIT_STACK is large for deep recursion; threads would reserve as much each without this.
    libc.set_default_thread_stack(child.THREAD_STACK_BYTES)
    child.start_as_usual()
    scheduling.answer_for_process()


def forget_ourselves() -> None:
    """Leave no module of ours where a program's import could find it, nor where our files and interpreter lie."""
    for name in [name for name in sys.modules if name.split(".")[0] == "turnwise"]:
        _hide_place(sys.modules.pop(name))
    for arguments in (sys.argv, getattr(sys, "orig_argv", [])):  # which Python 3.10 brought
        arguments[:] = [_EXECUTABLE]
    sys.executable = _EXECUTABLE
    setattr(sys, "_base_executable", _EXECUTABLE)  # noqa: B010 - the checker does not know it


def _hide_place(module: "ModuleType") -> None:
    """Give the code of ``module``, whose frames a program can reach, a file name without a folder of the machine."""
    own = getattr(module, "__file__", None)
    if not own:
        return
    shown = "/judge/" + os.path.basename(own)
    classes = [
        found for found in vars(module).values() if isinstance(found, type) and found.__module__ == module.__name__
    ]
    for holder in (module, *classes):
        for found in list(vars(holder).values()):
            code = getattr(getattr(found, "__func__", found), "__code__", None)
            if code is not None and code.co_filename == own:
                _imp._fix_co_filename(code, shown)  # type: ignore[attr-defined]  # what importing uses
    module.__file__ = shown
    module.__spec__ = None
    vars(module).pop("__cached__", None)


def _use_packages() -> None:
    prefixes = [sys.base_prefix]
    environment = os.path.dirname(os.path.dirname(os.path.abspath(sys.executable)))
    settings = os.path.join(environment, "pyvenv.cfg")
    if os.path.exists(settings):
        sys.prefix = sys.exec_prefix = environment
        with open(settings) as file:
            shares = any(line.replace(" ", "").strip().lower() == "include-system-site-packages=true" for line in file)
        prefixes = [environment, *(prefixes if shares else ())]
    site.PREFIXES[:] = prefixes
    sys.path += [path for path in site.getsitepackages(prefixes) if os.path.isdir(path)]
    site.setquit()
    site.setcopyright()
    site.sethelper()


def package_folders() -> "List[str]":
    """Return every folder of packages that the interpreter knows, also of the one below an environment."""
    return [*site.getsitepackages(), *site.getsitepackages([sys.base_prefix]), "/usr/lib/python3/dist-packages"]
