"""What the interpreter is before the first program: its packages, the modules loaded, nothing of ours in sight.

The interpreter is started without its ``site`` module's startup, which may cost more than all the rest (hooks
of editable installs) and follows .pth files to places that programs must not see; what programs rely on
of it is done here.
"""

import _imp
import contextlib
import io
import os
import site
import sys

from turnwise.runners.execution import child
from turnwise.runners.execution.sandbox import libc, stand_ins

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

_ROUNDS = 20
_INPUT = b"3\n1 2 3\nx y z\n"
_USUAL = """
import sys
from collections import Counter, defaultdict, deque
def solve():
    n = int(input())
    a = list(map(int, input().split()))
    seen = defaultdict(int)
    for i, x in enumerate(a):
        seen[x] += 1
    best = max(a) + min(a) + sum(a) + len(a)
    b = sorted(a, key=lambda x: -x)
    table = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            table[i][j] = a[i] * a[j] % 7
    queue = deque([1])
    queue.append(2)
    while queue and n > 0:
        queue.popleft()
        n -= 1
    print(best, len({x for x in b}), *b)
    print("YES" if best > 3 else "NO", "".join(map(str, b)), f"{best:.3f}", "%d" % best)
    return Counter(a)
solve()
for line in sys.stdin.read().split():
    pass
"""


def prepare(*, numpy: bool) -> None:
    """Make the interpreter ready; it opens no descriptor that stays."""
    _use_packages()
    for name in _PRELOADED.split():
        __import__(name)
    _warm_up()
    if numpy:
        with contextlib.suppress(ImportError):  # one that is broken is the program's to meet
            __import__("numpy")
    # RLIMIT_STACK is large for deep recursion; threads would reserve as much each without this.
    libc.set_default_thread_stack(child.THREAD_STACK_BYTES)
    child.start_as_usual()
    stand_ins.answer_for_process()


def _warm_up() -> None:
    """Run a usual program a few times on streams in memory, before anything is confined or forked.

    What an interpreter writes on first use (method caches, specialised code, decoders) is then there for every
    child, which else would copy the page to write it: some 5 % of a test. The program is ours and reads and
    writes memory only; nothing of it is left but that.
    """
    code = compile(_USUAL, "usual", "exec")
    real = sys.stdin, sys.stdout
    for _ in range(_ROUNDS):
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(_INPUT)), "utf-8")
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.BytesIO()), "utf-8")
        exec(code, {"__name__": "__main__"})
        sys.stdout.flush()
    sys.stdin, sys.stdout = real


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
