"""Sets of checkers: folders with a file for each problem, and what validating them showed.

    set.json                            what ``turnwise checkers validate`` found: a line for each checker, its sha256
    <benchmark>/p<name>.py              the checker of a problem, its input validator, or both (reading.py)
    brute_force/<benchmark>/p<name>.py  outputs of small inputs with whether they are right, for validating alone

The package's own set is ``checkers-1``; any other is named by its folder. A checker that set.json does not call
validated, or whose file has changed since, is not used, and the set says so. A file is read, never imported: what runs
is its text, in a sandbox, with that of reading.py before it and the function that the judge calls behind it. One that
calls what no checker needs (open, eval, imports that are not on the list) is refused by the name of that.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import read_whole, write_atomically
from turnwise.json_text import json_text
from turnwise.records.codec import from_json, if_set, reason_of, to_json
from turnwise.records.problem import Checker
from turnwise.records.settings import DEFAULT_ANSWERS, EQUALITY, JudgeSettings
from turnwise.texts import shown

BUNDLED = ("checkers-1",)
RESULTS = "set.json"
BRUTE_FORCE = "brute_force"
VERDICT, VALIDITY, CASES = "turnwise_verdict", "turnwise_validity", "cases"
READING = "turnwise.benchmarks.checkers.reading"
IMPORTS = (
    READING,
    *("bisect", "collections", "collections.abc", "dataclasses", "decimal", "enum", "fractions", "functools", "heapq"),
    *("itertools", "math", "operator", "re", "statistics", "string", "typing"),
)
_LARGEST_FILE, _LARGEST_RESULTS = 2**18, 2**24
_REFUSED = frozenset(
    {
        *("eval", "exec", "compile", "open", "input", "breakpoint", "globals", "locals", "vars", "getattr", "setattr"),
        *("attrgetter", "methodcaller", "pickle", "ctypes", "os", "sys", "subprocess", "inspect", "importlib"),
        *("builtins", "bltns", "import_module", "get_type_hints", "ForwardRef", "make_dataclass", "Formatter"),
        *("get_field", "CodeType", "FunctionType"),
    }
)
_ENDING = """

def turnwise_validity(text):
    try:
        validate(text)
    except Invalid as reason:
        return str(reason)[:200] or "invalid"
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return "it cannot be read: " + type(error).__name__
    return ""


def turnwise_verdict(text, output, expected):
    invalid = turnwise_validity(text) if "validate" in globals() else ""
    if invalid:
        return ["invalid input", invalid]
    try:
        check(text, output, expected)
    except Wrong as reason:
        return ["wrong", str(reason)[:200]]
    return ["right", ""]
"""


@dataclass(frozen=True, slots=True)
class Validation:
    """What validating the checker in ``file`` showed; only one without ``failures`` is used.

    Counts are of tests, those that are valid, right outputs accepted (labels), mutations refused, those that survived
    and were read, outputs on which a brute force agrees, hostile outputs refused.
    """

    problem: str
    file: str
    sha256: str
    tests: int = if_set(0)
    valid: int = if_set(0)
    labels: int = if_set(0)
    mutations: int = if_set(0)
    survivors: int = if_set(0)
    brute_force: int = if_set(0)
    hostile: int = if_set(0)
    failures: tuple[str, ...] = if_set(())


@dataclass(frozen=True, slots=True)
class Validations:
    """The file set.json."""

    name: str
    reading_sha256: str
    checkers: tuple[Validation, ...]
    origin: str = if_set("")
    licence: str = if_set("")


@dataclass(frozen=True, slots=True)
class CheckerSet:
    """A set of checkers: its name, the digest of those that may be used, and what was validated, by problem id.

    ``folder`` is None for equality, which has none.
    """

    name: str
    sha256: str = ""
    folder: Path | None = None
    validations: Mapping[str, Validation] = field(default_factory=dict)

    def find(self, problem: str) -> Checker | None:
        """Return the checker of the problem with this id, or None if there is none that may be used."""
        validation = self.validations.get(problem)
        text, reason = self._read(validation)
        if validation is None or not text or reason:
            return None
        return assemble(text, origin=f"{self.name} {validation.file}")

    def reason_against(self, problem: str) -> str:
        """Return why the checker of a problem may not be used; "" if it may, or there is none."""
        return self._read(self.validations.get(problem))[1]

    def _read(self, validation: Validation | None) -> tuple[str, str]:
        """Return the text of a checker, "" for none, and why it may not be used."""
        if self.folder is None or validation is None:
            return "", ""
        if validation.failures:
            return "", f"it did not validate: {validation.failures[0]}"
        text = read_checker_file(self.folder, validation.file)
        return text, "" if digest_of(text) == validation.sha256 else "it has changed since it was validated"


def load_checkers(answers: str) -> CheckerSet:
    """Return the set that ``answers`` names: that of equality, which is empty, a bundled one, or that of a folder.

    Raises TurnwiseError for an unknown name, and a folder that was not validated.
    """
    return CheckerSet(EQUALITY) if answers == EQUALITY else _load(folder_of(answers))


def is_own_set(answers: str) -> bool:
    """Return whether ``answers`` names a user's own folder of checkers."""
    return answers not in ("", EQUALITY, *BUNDLED)


def validators_of(judge: JudgeSettings) -> CheckerSet:
    """Return the set whose validators tell the valid tests: under equality the package's own."""
    return load_checkers(DEFAULT_ANSWERS if judge.answers == EQUALITY else judge.answers)


def folder_of(answers: str) -> Path:
    """Return the folder of the set that ``answers`` names; raises TurnwiseError if there is none."""
    if answers in BUNDLED:
        return Path(__file__).parent / answers.replace("-", "_")
    folder = Path(answers)
    if not folder.is_dir():
        raise TurnwiseError(
            f"Unknown answers {shown(answers)}: choose {EQUALITY}, {', '.join(BUNDLED)}, or a folder of checkers "
            "(docs/checkers.md)."
        )
    return folder


def read_results(folder: Path) -> Validations:
    """Return what validating the checkers in ``folder`` showed.

    Raises TurnwiseError where there is no such file, or it cannot be read.
    """
    path = folder / RESULTS
    try:
        data = read_whole(path, limit=_LARGEST_RESULTS, follow=False)
        return from_json(Validations, json.loads(data))
    except FileNotFoundError:
        raise TurnwiseError(
            f"The folder of checkers {str(folder)!r} holds no {RESULTS}: turnwise checkers validate --write makes it."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): turnwise checkers validate --write makes it anew."
        ) from None


def write_results(folder: Path, results: Validations) -> None:
    """Write what validating the checkers in ``folder`` showed, a checker after the other by their files."""
    ordered = replace(results, checkers=tuple(sorted(results.checkers, key=lambda one: one.file)))
    write_atomically(folder / RESULTS, json_text(to_json(ordered), indent=1, ensure_ascii=False) + "\n")


@cache
def _load(folder: Path) -> CheckerSet:
    results, path = read_results(folder), folder / RESULTS
    if results.name in (EQUALITY, *BUNDLED) and folder.parent != Path(__file__).parent:
        raise TurnwiseError(
            f"{str(path)!r} calls its set {results.name!r}, which is the package's own: give another name."
        )
    if results.reading_sha256 != digest_of(reading_text()):
        raise TurnwiseError(
            f"The checkers {str(folder)!r} were validated with another reading.py than this one's: turnwise checkers "
            "validate --write does it anew."
        )
    usable = sorted([one.problem, one.sha256] for one in results.checkers if not one.failures)
    digest = digest_of(json_text([results.reading_sha256, *usable]))
    return CheckerSet(results.name, digest, folder, {one.problem: one for one in results.checkers})


def read_checker_file(folder: Path, name: str) -> str:
    """Return the text of a checker; raises TurnwiseError if it cannot be read."""
    path = folder / name
    try:
        return read_whole(path, limit=_LARGEST_FILE, follow=False).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TurnwiseError(f"The checker {str(path)!r} cannot be read ({reason_of(error)}): give another.") from None


def checker_files(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the benchmark and the path inside ``folder`` of each checker."""
    for path in sorted(folder.glob("*/p*.py")):
        if path.parent.name != BRUTE_FORCE:
            yield path.parent.name, path.relative_to(folder).as_posix()


def stem_of(problem: str) -> str:
    """Return the stem of the file of a problem's checker, by the name that the data set has for the problem.

    >>> stem_of("1579_B. Shifting Sort"), stem_of("36")
    ('p1579_b', 'p36')
    """
    return "p" + re.sub(r"[^a-z0-9]+", "_", problem.partition(". ")[0].lower())


def assemble(text: str, *, origin: str) -> Checker:
    """Return the checker in the ``text`` of a file; raises TurnwiseError for one that is none or not to be run."""
    functions, imports = _screen(text, origin)
    checks, validates = "check" in functions, "validate" in functions
    if not (checks or validates):
        raise TurnwiseError(
            f"The checker {origin} defines neither check(text, output, expected) nor validate(text): "
            "write one of them (docs/checkers.md)."
        )
    for name, arguments in (("check", 3), ("validate", 1)):
        if functions.get(name, arguments) != arguments:
            raise TurnwiseError(
                f"The checker {origin} defines {name} with {functions[name]} arguments: give it {arguments} "
                "(docs/checkers.md)."
            )
    lines = text.splitlines()
    for number in imports:
        lines[number - 1] = ""
    source = "\n".join([reading_text(), *lines, _ENDING])
    return Checker(source, origin, checks, validates)


def assemble_cases(text: str, *, origin: str) -> str:
    """Return what runs of a brute force, whose function ``cases`` is called; raises TurnwiseError as ``assemble``."""
    functions, _ = _screen(text, origin)
    if functions.get(CASES) != 0:
        raise TurnwiseError(f"The brute force {origin} does not define cases(): write it (docs/checkers.md).")
    return text


@cache
def reading_text() -> str:
    """Return the text that stands before every checker."""
    return Path(__file__).with_name("reading.py").read_text("utf-8")


def digest_of(text: str) -> str:
    """Return the sha256 of a text, in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _screen(text: str, origin: str) -> tuple[dict[str, int], list[int]]:
    """Return the functions that a file defines, with how many arguments, and the lines that import reading.py.

    Raises TurnwiseError for what is no Python, and names, attributes and imports that no checker needs.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise TurnwiseError(f"The checker {origin} is no Python ({reason_of(error)}): mend it.") from None
    import_lines: list[int] = []
    for node in ast.walk(tree):
        for name in _names_in(node):
            if name in _REFUSED or name.startswith("__"):
                raise TurnwiseError(
                    f"The checker {origin} uses {name}, line {getattr(node, 'lineno', 1)}, which no checker needs: "
                    "leave it out."
                )
        for module in _modules_in(node):
            if module not in IMPORTS:
                raise TurnwiseError(
                    f"The checker {origin} imports {module}, line {getattr(node, 'lineno', 1)}: it may import "
                    f"{', '.join(IMPORTS[1:])}."
                )
        if isinstance(node, ast.ImportFrom) and node.module == READING:
            import_lines += range(node.lineno, (node.end_lineno or node.lineno) + 1)
    functions = {one.name: len(one.args.args) for one in tree.body if isinstance(one, ast.FunctionDef)}
    return functions, import_lines


def _names_in(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node uses; re.compile makes no code."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        is_own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        is_pattern = isinstance(node.value, ast.Name) and (node.value.id, node.attr) == ("re", "compile")
        if not is_pattern:
            yield "__" + node.attr if node.attr.startswith("_") and not is_own else node.attr
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.name for alias in node.names)


def _modules_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." * node.level + (node.module or "")
