"""Prompt sets: folders of Jinja2 templates with an id and a hash each; the bundled set is turnwise-1.

A set may be somebody else's: its templates render in a sandbox with bounds (templates.py), from the files of the
folder that end in .j2 and nothing else, none of them a link.

>>> prompts = PromptSet.load()
>>> prompts.render("no_code")
'No Python code block could be found in your answer. Please answer the task with one.'

A template that asks for a name nobody gives is an error, never an empty place. The wording is ours.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import jinja2

from turnwise.errors import TurnwiseError
from turnwise.files import read_whole
from turnwise.tasks.templates import compile_templates
from turnwise.texts import printable

DEFAULT_SET = "turnwise-1"
_MOST_FILES, _LARGEST = 1000, 2**18
REQUIRED_IDS = frozenset({"statement", "format_guide", "write_program", "no_code", "prefill"})


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The templates of one set by id, and their hashes (sha256, first 16 digits) for the record."""

    name: str
    hashes: Mapping[str, str]
    _templates: Mapping[str, Callable[..., str]]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Return the set in ``folder`` or the bundled one; raises TurnwiseError if a file is missing or broken."""
        folder = folder or Path(__file__).parent / "prompts" / DEFAULT_SET
        if not folder.is_dir():
            raise TurnwiseError(f"The prompt folder {str(folder)!r} does not exist: give another --prompts.")
        texts = _read(folder)
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

    def render(self, prompt_id: str, **context: Any) -> str:
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


def _read(folder: Path) -> dict[str, str]:
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
