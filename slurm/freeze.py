"""The code that the workers of a run import: a copy, so that nothing changes under a job that waits for weeks."""

import compileall
import hashlib
import os
import shutil
from pathlib import Path

import turnwise

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.py[cod]")


def freeze_code(folder: Path) -> Path:
    """Copy the package turnwise into ``folder``/<digest>, links followed, and return that folder.

    Equal code is copied once. The copy is compiled, so that a thousand workers do not each try to.
    """
    source = Path(turnwise.__file__).parent
    target = folder / code_digest()
    if target.exists():
        return target
    temporary = folder / f".{target.name}.{os.getpid()}"
    shutil.copytree(source, temporary / "turnwise", ignore=_SKIPPED)
    compileall.compile_dir(temporary, quiet=2, invalidation_mode=None)
    try:
        temporary.rename(target)
    except OSError:  # another submission was first
        shutil.rmtree(temporary)
        if not target.exists():
            raise
    return target


def code_digest() -> str:
    """Return a digest of the code that runs here, the name of its copy."""
    source, total = Path(turnwise.__file__).parent, hashlib.sha256()
    for folder, folders, names in os.walk(source, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix not in (".pyc", ".pyo"):
                total.update(f"{path.relative_to(source)}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
