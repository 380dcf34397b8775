"""What the workers of a run read, at hand before they start, so that nothing changes under a job that waits for weeks.

    code/<digest>/          the package turnwise, which they import
    inputs/<digest>/NAME    a file or folder that an option names

A copy is on the disk before it has its name, and is told by the digest of what it holds: one that was damaged since is
made anew from what it was copied from. A model is fetched into the hub's cache, so that a thousand workers do not ask
the hub at once, or in vain.
"""

import compileall
import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import turnwise
from turnwise.errors import TurnwiseError
from turnwise.files import sync_folder

_SKIPPED = shutil.ignore_patterns("__pycache__", "*.py[cod]")
_COMPILED = (".pyc", ".pyo")
# Beside the copy of the code: the digests of what was compiled of it. Another Python's may join them later.
_DIGESTS = "compiled.sha256"
# What is larger stays where it is: data sets and recorded answers of that size have their digest in run.json.
MOST_INPUT_BYTES = 256 << 20


def freeze_code(folder: Path) -> Path:
    """Copy the package turnwise into ``folder``/<digest>, links followed, and return that folder.

    Equal code is copied once. The copy is compiled, so that a thousand workers do not each try to.
    """
    source = Path(turnwise.__file__).parent
    target = folder / code_digest()
    if _is_whole_code(target):
        return target
    temporary = folder / f".{target.name}.{os.getpid()}"
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(source, temporary / "turnwise", ignore=_SKIPPED)
    compileall.compile_dir(temporary, quiet=2, invalidation_mode=None)
    lines = [f"{_digest_file(path)}  {path.relative_to(temporary)}\n" for path in sorted(temporary.rglob("*.pyc"))]
    (temporary / _DIGESTS).write_text("".join(lines))
    _put(temporary, target)
    return target


def code_digest() -> str:
    """Return a digest of the code that runs here, the name of its copy."""
    return _digest_folder(Path(turnwise.__file__).parent, compiled=False)[:16]


def is_running_code(copy: Path) -> bool:
    """Return whether the code that runs here is ``copy``."""
    return Path(turnwise.__file__).parent.resolve() == (copy / "turnwise").resolve()


def are_sources_whole(copy: Path) -> bool:
    """Return whether a copy of the code holds what was copied; what is compiled of it may have been made anew."""
    try:
        return _digest_folder(copy / "turnwise", compiled=False)[:16] == copy.name
    except OSError:
        return False


def freeze_inputs(folder: Path, paths: Mapping[str, Path], *, most_bytes: int = MOST_INPUT_BYTES) -> dict[str, str]:
    """Copy files and folders into ``folder``; return where each lies in it, but for those that are too large.

    Raises OSError for one that cannot be read.
    """
    frozen = {}
    for name, path in paths.items():
        if _size(path) > most_bytes:
            continue
        target = folder / digest_input(path)[:16] / path.resolve().name
        if not is_whole_input(target):
            temporary = folder / f".{target.parent.name}.{os.getpid()}"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            if path.is_dir():
                shutil.copytree(path, temporary / target.name, ignore=_irregular)
            else:
                shutil.copyfile(path, temporary / target.name)
            _put(temporary, target.parent)
        frozen[name] = str(target.relative_to(folder))
    return frozen


def _irregular(folder: str, names: list[str]) -> list[str]:
    """Return what is neither a file nor a folder, such as an editor's link to nowhere."""
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_dir())]


def is_whole_input(path: Path) -> bool:
    """Return whether a copy holds what was copied."""
    try:
        return digest_input(path)[:16] == path.parent.name
    except OSError:
        return False


def digest_input(path: Path) -> str:
    """Return the digest of a file or a folder."""
    return _digest_folder(path, compiled=True) if path.is_dir() else _digest_file(path)


def _is_whole_code(copy: Path) -> bool:
    try:
        lines = (copy / _DIGESTS).read_text("utf-8").splitlines()
        compiled = (line.split("  ", 1) for line in lines)
        return are_sources_whole(copy) and all(_digest_file(copy / name) == digest for digest, name in compiled)
    except (OSError, ValueError):
        return False


def _digest_folder(source: Path, *, compiled: bool) -> str:
    total = hashlib.sha256()
    for folder, folders, names in os.walk(source, followlinks=True):
        folders[:] = sorted(name for name in folders if compiled or name != "__pycache__")
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and (compiled or path.suffix not in _COMPILED):
                total.update(f"{path.relative_to(source)}\0".encode("utf-8", "surrogateescape"))
                total.update(bytes.fromhex(_digest_file(path)))
    return total.hexdigest()


def _digest_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    if not path.is_dir():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())


def _put(temporary: Path, target: Path) -> None:
    """Give a folder its name once it is on the disk, in place of a damaged one."""
    for folder, _, names in os.walk(temporary, topdown=False):
        for name in names:
            descriptor = os.open(Path(folder) / name, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(folder))
    damaged = temporary.with_name(f"{temporary.name}.damaged")
    try:
        if target.exists():
            target.rename(damaged)
        temporary.rename(target)
    except OSError:  # another submission was first
        shutil.rmtree(temporary)
        if not target.exists():
            raise
    sync_folder(target.parent)
    shutil.rmtree(damaged, ignore_errors=True)


def fetch_model(name: str, revision: str | None) -> None:
    """Bring the files of a model or tokenizer into the hub's cache; a folder is left as it is.

    Raises TurnwiseError if they can neither be fetched nor are there.
    """
    if Path(name).exists():
        return
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        print(f"{name} is not fetched here, since huggingface_hub is not installed.", file=sys.stderr, flush=True)
        return
    try:
        snapshot_download(name, revision=revision)
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TurnwiseError(
            f"The model {name!r} can neither be fetched nor is it in the hub's cache ({reason}): mend -a model=, or "
            "fetch it on a machine that reaches the hub (HF_HOME says where to)."
        ) from None
