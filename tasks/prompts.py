"""Prompt sets: folders of Jinja2 templates with an id and a hash each; the bundled set is turnwise-1.

>>> prompts = PromptSet.load()
>>> prompts.render("no_code")
'No Python code block could be found in your answer. Please answer the task with one.'

A template that asks for a name nobody gives is an error, never an empty place. The wording is ours.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import jinja2

from turnwise.errors import TurnwiseError

DEFAULT_SET = "turnwise-1"
REQUIRED_IDS = frozenset({"statement", "format_guide", "write_program", "no_code", "prefill"})


@dataclass(frozen=True, slots=True)
class PromptSet:
    """The templates of one set by id, and their hashes (sha256, first 16 digits) for the record."""

    name: str
    hashes: Mapping[str, str]
    _templates: Mapping[str, jinja2.Template]

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Return the set in ``folder`` or the bundled one; raises TurnwiseError if a file is missing or broken."""
        folder = folder or Path(__file__).parent / "prompts" / DEFAULT_SET
        if not folder.is_dir():
            raise TurnwiseError(f"The prompt folder {str(folder)!r} does not exist: give another --prompts.")
        loader = jinja2.FileSystemLoader(folder)  # so that a template can include another one
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False, loader=loader)
        hashes, templates = {}, {}
        for path in sorted(folder.rglob("*.j2")):
            prompt_id = path.relative_to(folder).with_suffix("").as_posix()
            try:
                text = path.read_text(encoding="utf-8")
                templates[prompt_id] = environment.from_string(text)
            except UnicodeDecodeError:
                raise TurnwiseError(f"The prompt {str(path)!r} is no UTF-8 text.") from None
            except jinja2.TemplateError as error:
                raise TurnwiseError(f"The prompt {str(path)!r} is no Jinja2 template: {error}.") from None
            hashes[prompt_id] = hashlib.sha256(text.encode()).hexdigest()[:16]
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
            return self._templates[prompt_id].render(**context).strip("\n")
        except Exception as error:  # a template may be the user's, and hold whatever fails
            raise TurnwiseError(f"The prompt {prompt_id!r} of {self.name!r} cannot be filled in: {error}.") from None
