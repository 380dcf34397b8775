"""Prompt sets: folders of Jinja2 templates with an id and a hash each; the bundled sets are turnwise-2 and turnwise-1.

The second says "one right answer" where a checker accepts others, too; the first differs in that alone, and is kept as
the files in which it does.

A set may be somebody else's: its templates come from the files of the folder that end in .j2 and nothing else, none of
them a link, and read what they are given, and nothing else happens. They run in Jinja2's sandbox, which keeps them from
Python's own objects, and see no file but those of the folder, no module and no function but ``range``. The sandbox
alone bounds neither time nor memory; so each text, number and structure that a template makes is measured, and a
filling may take so many steps (rounds of a loop, calls, includes) and so much CPU time.

Not covered: what a template says. The text goes to the model as it is.

>>> prompts = PromptSet.load()
>>> prompts.render("no_code")
'No Python code block could be found in your answer. Please answer the task with one.'

A template that asks for a name nobody gives is an error, never an empty place. The wording is ours.
"""

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import Path
from typing import Any, Self

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from turnwise.errors import TurnwiseError
from turnwise.files import read_whole
from turnwise.texts import printable

DEFAULT_SET = "turnwise-2"
EARLIER_SETS = ("turnwise-1",)
_MOST_FILES, _LARGEST = 1000, 2**18
REQUIRED_IDS = frozenset({"statement", "format_guide", "write_program", "no_code", "prefill"})
LONGEST_TEXT = 4_000_000  # characters, of a prompt and of every text on the way to it
MOST_STEPS = 50_000
MOST_SECONDS = 10.0  # of CPU time
_MOST_PARTS = 100_000  # of a list, with those of the lists in it
_MOST_BITS = 4096  # of a whole number
_LONGEST_SPACE = 100  # what a filter may pad or indent by
_METHODS = re.findall(
    r"\w+",
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower "
    "isnumeric isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex "
    "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper ",
)
_FILTERS = re.findall(
    r"\w+",
    "abs capitalize center count d default dictsort e escape first float format groupby indent int items join last "
    "length list lower map max min reject rejectattr replace reverse round safe select selectattr sort string sum "
    "title tojson trim truncate unique upper wordcount ",
)
_OF_LISTS = ("list", "sort", "reverse", "max", "min", "unique", "groupby", "last")
_COUNTED, _MEASURED, _AS_TEXT = "is counted", "is measured", "as text"  # filters that no template can name
_PADDED = re.compile(r"%[^a-zA-Z%]*(\*|\d{3,})")


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The templates of one set by id, and their hashes (sha256, first 16 digits) for the record."""

    name: str
    hashes: Mapping[str, str]
    _templates: Mapping[str, Callable[..., str]]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Return the set in ``folder``, or a bundled one by its name.

        Raises TurnwiseError if a file is missing or broken.
        """
        if folder is None or is_bundled_set(folder):
            bundled = Path(__file__).parent / "prompts"
            folder = bundled / (folder.name if folder else DEFAULT_SET)
            texts = {**_read_folder(bundled / DEFAULT_SET), **_read_folder(folder)}
        elif folder.is_dir():
            texts = _read_folder(folder)
        else:
            raise TurnwiseError(f"The prompt folder {str(folder)!r} does not exist: give another --prompts.")
        templates = {}
        try:
            for name, fill in compile_templates(texts):
                templates[_prompt_id(name)] = fill
        except Exception as error:  # deep nests and long numbers raise whatever Python raises
            name = getattr(error, "name", None) or list(texts)[len(templates)]
            raise TurnwiseError(f"The prompt {str(folder / name)!r} is no Jinja2 template: {_reason(error)}.") from None
        hashes = {_prompt_id(name): hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in texts.items()}
        if missing := sorted(REQUIRED_IDS - set(templates)):
            raise TurnwiseError(
                f"The prompt set {str(folder)!r} lacks the file {missing[0] + '.j2'!r}: begin with a copy of "
                f"the bundled set, tasks/prompts/{DEFAULT_SET}."
            )
        return cls(folder.resolve().name, hashes, templates)

    def check(self, prompt_ids: Iterable[str]) -> None:
        """Raise TurnwiseError for the first of ``prompt_ids`` that the set lacks, with those it has of its kind."""
        for prompt_id in sorted(set(prompt_ids) - set(self._templates)):
            kind, _, name = prompt_id.rpartition("/")
            known = ", ".join(self.names(kind)) or "none"
            raise TurnwiseError(f"The prompt set {self.name!r} has no {kind} {name!r}: it has {known}.")

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the ids of a kind (reasoning, instruction, feedback) without it; parts of others begin with '_'."""
        names = (one.removeprefix(f"{kind}/") for one in self._templates if one.startswith(f"{kind}/"))
        return tuple(name for name in names if not name.startswith("_"))

    def render(self, prompt_id: str, **context: object) -> str:
        """Return the prompt with ``context`` filled in; raises TurnwiseError for an unknown prompt or name."""
        if prompt_id not in self._templates:
            raise TurnwiseError(
                f"The prompt set {self.name!r} has no {prompt_id!r}: it has "
                f"{', '.join(one for one in self._templates if '/_' not in one)}."
            )
        try:
            return self._templates[prompt_id](**context).strip("\n")
        except Exception as error:  # a template may be the user's, and hold whatever fails
            raise TurnwiseError(
                f"The prompt {prompt_id!r} of {self.name!r} cannot be filled in: {_reason(error)}."
            ) from None


def is_bundled_set(folder: Path) -> bool:
    """Return whether ``folder`` is the name of a bundled set, and no folder."""
    return str(folder) in (DEFAULT_SET, *EARLIER_SETS) and not folder.is_dir()


def _read_folder(folder: Path) -> dict[str, str]:
    """Return the text of each template by its path in ``folder``; raises TurnwiseError naming what cannot be read."""
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*.j2")):
        if len(texts) == _MOST_FILES:
            raise TurnwiseError(
                f"The prompt folder {str(folder)!r} holds more than {_MOST_FILES} templates: give another --prompts."
            )
        try:
            texts[path.relative_to(folder).as_posix()] = read_whole(path, limit=_LARGEST, follow=False).decode("utf-8")
        except UnicodeDecodeError:
            raise TurnwiseError(f"The prompt {str(path)!r} is no UTF-8 text.") from None
        except OSError as error:
            raise TurnwiseError(
                f"The prompt {str(path)!r} cannot be read ({error.strerror}): put the text itself there."
            ) from None
    return texts


def _prompt_id(name: str) -> str:
    return name.removesuffix(".j2")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it takes too much memory"
    if isinstance(error, jinja2.TemplateNotFound):
        return f"it includes {printable(str(error.name), limit=100)!r}, which is no template of the folder"
    return printable(" ".join(str(error).split()), limit=300).rstrip(".") or type(error).__name__


@dataclass(slots=True)
class _Budget:
    """What one filling has left."""

    steps: int = MOST_STEPS
    until: float = field(default_factory=lambda: time.thread_time() + MOST_SECONDS)

    def spend(self, steps: int = 1) -> None:
        self.steps -= steps
        if self.steps < 0:
            raise SecurityError(f"it takes more than {MOST_STEPS} steps")
        if time.thread_time() > self.until:
            raise SecurityError(f"it takes more than {MOST_SECONDS:g} s")


_BUDGET: ContextVar[_Budget | None] = ContextVar("_BUDGET", default=None)


def compile_templates(texts: Mapping[str, str]) -> Iterator[tuple[str, Callable[..., str]]]:
    """Yield each name of ``texts`` with what fills it in; a template can include the others by their names.

    What fills in raises jinja2.TemplateError, or whatever else the template's own mistakes raise. Raises the same
    for a text that is no template.
    """
    environment = _BoundedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False, finalize=_printed)
    environment.loader = jinja2.DictLoader(texts)
    for name in texts:
        yield name, partial(_fill, environment.get_template(name))


def _fill(template: jinja2.Template, **context: object) -> str:
    token = _BUDGET.set(_Budget())
    try:
        return template.render(context)
    finally:
        _BUDGET.reset(token)


def _spend(steps: int = 1) -> None:
    if (budget := _BUDGET.get()) is not None:  # none while constants are folded
        budget.spend(steps)


class _BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox with bounds: every way to loop is counted, every way to grow is measured."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.globals = {"range": self.globals["range"]}
        self.filters = {name: _bounded(name, self.filters[name]) for name in _FILTERS}
        self.filters |= {_COUNTED: _counted, _MEASURED: _measured, _AS_TEXT: _as_text}

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Join what a template, block or macro printed."""
        return _join(parts)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = _through(_COUNTED, loop.iter)
        for text in list(tree.find_all(nodes.Concat)):
            text.nodes = [_through(_AS_TEXT, part) for part in text.nodes]
        _measure(tree)
        return tree

    def get_template(self, *names: Any, **options: Any) -> jinja2.Template:
        """Return a template of the folder; including one is a step."""
        _spend()
        return super().get_template(*names, **options)

    def getattr(self, obj: object, attribute: str) -> object:
        """Return an attribute, of a text or number those that cannot make it grow."""
        return self.unsafe_undefined(obj, attribute) if _is_hidden(obj, attribute) else super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """Return an item, or an attribute under the same rule."""
        if isinstance(argument, str) and _is_hidden(obj, argument):
            return self.unsafe_undefined(obj, argument)
        return super().getitem(obj, argument)

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:  # noqa: N805 - as in Jinja2
        """Call a macro, a method of a text, or range; a step, and one for each part of what is given."""
        _spend(1 + sum(len(one) for one in args if isinstance(one, list | tuple | dict | range)))
        return _measured(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return what an operator makes, unless that is too large."""
        _spend()
        numbers = isinstance(left, int) and isinstance(right, int)
        if operator == "**" and numbers:
            _check_size(left.bit_length() * max(right, 1), _MOST_BITS, "bits")
        elif operator == "*" and numbers:
            _check_size(left.bit_length() + right.bit_length(), _MOST_BITS, "bits")
        elif operator == "*":
            for sized, times in ((left, right), (right, left)):
                if hasattr(sized, "__len__") and isinstance(times, int):
                    _check_size(_size(sized) * max(times, 1), _MOST_PARTS, "parts")
        elif operator == "%" and isinstance(left, str):
            _check_format(left)
        return _measured(super().call_binop(context, operator, left, right))


def _measure(node: nodes.Node) -> None:
    """Put a measure around each list, tuple and mapping that a template writes down."""
    for name, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, name, _with_measure(value))
        elif isinstance(value, list):
            value[:] = [_with_measure(one) if isinstance(one, nodes.Node) else one for one in value]


def _with_measure(node: nodes.Node) -> nodes.Node:
    _measure(node)
    if isinstance(node, nodes.List | nodes.Dict) or (isinstance(node, nodes.Tuple) and node.ctx == "load"):
        return _through(_MEASURED, node)
    return node


def _through(name: str, node: nodes.Node) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno, environment=node.environment)


def _is_hidden(obj: object, attribute: str) -> bool:
    return isinstance(obj, str | bytes | int | float) and attribute not in _METHODS


def _counted(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        _spend()
        yield value


def _measured(value: object) -> object:
    _size(value)
    return value


def _size(value: object) -> int:
    """Return the parts of a structure, or a text's length in units of 40; raises SecurityError if it is too large."""
    if isinstance(value, str):
        _check_size(len(value), LONGEST_TEXT, "characters")
        return 1 + len(value) // (LONGEST_TEXT // _MOST_PARTS)
    if isinstance(value, int):
        _check_size(value.bit_length(), 4 * _MOST_BITS, "bits")
    parts, open_parts = 1, [value]
    while open_parts:
        part = open_parts.pop()
        if isinstance(part, str):
            parts += len(part) // (LONGEST_TEXT // _MOST_PARTS)
        elif isinstance(part, dict):
            open_parts += [*part, *part.values()]
            parts += 2 * len(part)
        elif isinstance(part, list | tuple | set | frozenset):
            open_parts += part
            parts += len(part)
        _check_size(parts, _MOST_PARTS, "parts")
    return parts


def _printed(value: object) -> object:
    """Return what stands for ``value`` in a text; an object of Python's own has no text."""
    if isinstance(value, str | int | float | list | tuple | dict | Undefined) or value is None:
        return _measured(value)
    raise SecurityError(f"a {type(value).__name__} is no text")


def _as_text(value: object) -> str:
    return str(_printed(value))


def _join(parts: Iterable[str]) -> str:
    found, length = [], 0
    for part in parts:
        length += len(part)
        _check_size(length, LONGEST_TEXT, "characters")
        found.append(part)
    return "".join(found)


def _check_size(size: int, most: int, what: str) -> None:
    if size > most:
        raise SecurityError(f"it makes more than {most} {what}")


def _check_format(text: str) -> None:
    if _PADDED.search(text):
        raise SecurityError("a format pads by 100 places or more")


def _bounded(name: str, apply: Callable[..., object]) -> Callable[..., object]:
    """Return a filter of Jinja2 that cannot make much of little."""
    leading = 1 if hasattr(apply, "jinja_pass_arg") else 0  # Jinja2 gives some its context or environment first

    @wraps(apply)  # with the mark of what it is given first
    def filtered(*args: Any, **kwargs: Any) -> Any:
        _spend()
        value, *others = args[leading:]
        others += kwargs.values()
        if not isinstance(value, Iterator):
            _size(value)
        for one in others:
            _size(one)
        if name in ("center", "indent"):
            text = str(value)
            for width in (len(one) if isinstance(one, str) else one for one in others):
                _check_size(width if isinstance(width, int) else 0, _LONGEST_SPACE, "spaces")
            _check_size(len(text) + (1 + text.count("\n")) * _LONGEST_SPACE, LONGEST_TEXT, "characters")
        elif name == "replace" and len(others) > 1:
            text, new = str(value), str(others[1])
            _check_size(len(text) + text.count(str(others[0])) * len(new), LONGEST_TEXT, "characters")
        elif name == "join":
            value = list(_counted(value))
            _check_size(sum(len(str(one)) for one in others) * len(value), LONGEST_TEXT, "characters")
            _size(value)
        elif name == "format":
            _check_format(str(value))
        elif name == "sum" and (len(others) > 1 or "start" in kwargs):
            raise SecurityError("sum takes no start")
        elif name in _OF_LISTS and not isinstance(value, str):
            value = list(_counted(value))
        return _measured(apply(*args[:leading], value, *args[leading + 1 :], **kwargs))

    return filtered
