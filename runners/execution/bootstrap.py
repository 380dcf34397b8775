"""How a zygote is started: by a few lines of code that name the packages of its modules, and no more.

The modules import each other by their full names, but turnwise itself must not be loaded: the interpreter
may be another one, without turnwise or what it depends on, and a program must not find it. So each
package's name gets an empty module whose path is the folder. Importing, unlike running a script by its
path, also finds what is already compiled.
"""

import json
from typing import Any

from turnwise.benchmarks import values
from turnwise.runners.execution import child, sandbox

_CODE = """\
import json, sys
del sys.path[0]
for name, path in json.loads(sys.argv[3]).items():
    package = type(sys)(name)
    package.__path__ = path
    sys.modules[name] = package
del json, name, package, path
from turnwise.runners.execution.sandbox.zygote import main
main()
"""


def zygote_command(interpreter: str, *, control: int, setting: dict[str, Any]) -> list[str]:
    """Return the command line of a zygote; ``control`` is an inherited descriptor (see sandbox/zygote.py)."""
    packages = {
        "turnwise": [],
        "turnwise.benchmarks": [_folder(values.__file__)],
        "turnwise.runners": [],
        "turnwise.runners.execution": [_folder(child.__file__)],
        "turnwise.runners.execution.sandbox": list(sandbox.__path__),
    }
    # -S: preparation.py does what programs need of the site module.
    return [
        interpreter,
        "-s",
        "-S",
        "-W",
        "ignore",
        "-c",
        _CODE,
        str(control),
        json.dumps(setting),
        json.dumps(packages),
    ]


def _folder(path: str | None) -> str:
    return str(path).rpartition("/")[0]
