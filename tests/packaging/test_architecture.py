"""Imports point downwards only, and starting the command line loads nothing heavy.

The rules are the table ALLOWED, read from the source with ``ast``; a test that fails names file and line.
Does not look into strings: a module imported by a name built at run time is not seen.
"""

import ast
import graphlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What a room may import of ours, besides itself and LEAVES: a module or package, and all below it.
# What lies in turnwise/ itself may import everything.
ALLOWED = {
    "turnwise.records": (),
    "turnwise.benchmarks": ("turnwise.records",),
    "turnwise.tasks": ("turnwise.records", "turnwise.benchmarks"),
    "turnwise.runners": ("turnwise.records", "turnwise.benchmarks", "turnwise.tasks"),
    "turnwise.slurm": ("turnwise.records", "turnwise.benchmarks", "turnwise.tasks", "turnwise.runners"),
    "turnwise.leaderboard": ("turnwise.records", "turnwise.benchmarks", "turnwise.tasks.behaviour"),
    "turnwise.training": ("turnwise.records", "turnwise.benchmarks", "turnwise.tasks", "turnwise.runners"),
}
# Everyone may import these; they import one another alone.
LEAVES = ("turnwise", "turnwise.errors", "turnwise.files", "turnwise.json_text", "turnwise.locks", "turnwise.texts")
HEAVY = {
    "accelerate",
    "altair",
    "datasets",
    "evalplus",
    "httpx",
    "httpx2",
    "lm_eval",
    "numpy",
    "openai",
    "peft",
    "pyarrow",
    "scipy",
    "submitit",
    "torch",
    "transformers",
    "trl",
    "vllm",
}
HELP_CPU_SECONDS = 0.3


@dataclass(frozen=True)
class Import:
    """One imported name: ``target`` is dotted and absolute, ``level`` the dots of a relative import."""

    module: str
    place: str
    target: str
    level: int

    def __str__(self) -> str:
        return f"{self.place}: {self.module} imports {'.' * self.level}{self.target}"


@cache
def rooms() -> tuple[str, ...]:
    """Return the root folders that are packages."""
    folders = (path.parent.name for path in ROOT.glob("*/__init__.py"))
    return tuple(sorted(name for name in folders if name != "turnwise"))


@cache
def modules() -> dict[str, Path]:
    """Return the file of every module by its dotted name; .py files below data folders are not modules."""
    found = {}
    for folder in ("turnwise", *rooms()):
        for path in (ROOT / folder).rglob("*.py"):
            if (path.parent / "__init__.py").exists():
                parts = path.relative_to(ROOT).with_suffix("").parts
                found[".".join(parts if folder == "turnwise" else ("turnwise", *parts))] = path
    return {name.removesuffix(".__init__"): path for name, path in found.items()}


@cache
def imports() -> tuple[Import, ...]:
    """Return every import statement of every module, those inside functions too, a name at a time."""
    return tuple(one for name, path in modules().items() for one in imports_of(name, path))


def imports_of(name: str, path: Path) -> Iterator[Import]:
    """Yield the imports of one file; ``from a import b`` has the target ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets, level = [alias.name for alias in node.names], 0
        elif isinstance(node, ast.ImportFrom):
            prefix = f"{node.module}." if node.module else ""
            targets, level = [prefix + alias.name for alias in node.names], node.level
        else:
            continue
        place = f"{path.relative_to(ROOT)}:{node.lineno}"
        yield from (Import(name, place, target, level) for target in targets)


def is_below(name: str, package: str) -> bool:
    """Return whether ``name`` is ``package`` or lies in it."""
    return name == package or name.startswith(f"{package}.")


def resolve(target: str) -> str | None:
    """Return the module of ours that holds ``target``, or None for somebody else's."""
    while target not in modules():
        target, _, last = target.rpartition(".")
        if not last or not target:
            return None
    return target


def is_allowed(module: str, target: str) -> bool:
    """Return whether ``module`` may import ``target``, both ours."""
    if module in LEAVES:
        return target in LEAVES
    room = next((room for room in ALLOWED if is_below(module, room)), None)
    if room is None or target in LEAVES:
        return True
    return any(is_below(target, allowed) for allowed in (room, *ALLOWED[room]))


def cpu_seconds(*arguments: str) -> float:
    """Return the CPU time of one Python process, children included, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_every_room_has_a_rule() -> None:
    """The table of allowed imports names the rooms there are."""
    assert sorted(ALLOWED) == [f"turnwise.{room}" for room in rooms()]


def test_imports_point_downwards() -> None:
    """No module imports one of ours that its room may not use, not even inside a function."""
    ours = [(one, resolve(one.target)) for one in imports() if one.level == 0]
    wrong = [str(one) for one, target in ours if target and not is_allowed(one.module, target)]
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """The modules can be sorted so that each comes after all that it imports."""
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for one in imports():
        target = resolve(one.target)
        if target and target != one.module:
            graph[one.module].add(target)
    tuple(graphlib.TopologicalSorter(graph).static_order())


def test_no_import_is_relative_or_of_a_bare_room() -> None:
    """Ours are imported as turnwise.<room>, which is the one name that an installed room has."""
    wrong = [str(one) for one in imports() if one.level or one.target.split(".")[0] in rooms()]
    assert wrong == []


def test_every_room_is_linked_and_every_link_is_a_room() -> None:
    """turnwise/<room> is a relative link to <room>, for every room and for nothing else."""
    links = {path.name: str(path.readlink()) for path in (ROOT / "turnwise").iterdir() if path.is_symlink()}
    assert links == {room: f"../{room}" for room in rooms()}


def test_starting_the_command_line_loads_nothing_heavy() -> None:
    """Importing the command line loads no package that only some commands need."""
    code = "import sys, turnwise.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    process = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert HEAVY & set(process.stdout.split()) == set()


def test_help_is_quick() -> None:
    """``turnwise --help`` costs at most 0.3 s of CPU time more than starting Python, best of three."""
    start = min(cpu_seconds("-c", "pass") for _ in range(3))
    assert min(cpu_seconds("-m", "turnwise", "--help") for _ in range(3)) - start <= HELP_CPU_SECONDS
