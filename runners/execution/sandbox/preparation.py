"""What the interpreter is before the first program: its packages, the modules loaded, nothing of ours in sight.

The interpreter is started without its ``site`` module's startup, which may cost more than all the rest (hooks
of editable installs) and follows .pth files to places that programs must not see; what programs rely on
of it is done here.
"""

import contextlib
import os
import site
import sys

from turnwise.runners.execution.sandbox import warm_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List

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


def forget_ourselves() -> None:
    """Leave no module of ours where a program's import could find it."""
    for name in [name for name in sys.modules if name.split(".")[0] == "turnwise"]:
        del sys.modules[name]


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
