"""Prompt sets: folders of Jinja2 templates with an id and a hash each; the bundled set is turnwise-1.

>>> prompts = PromptSet.load()
>>> prompts.render("no_code")
'No Python code block could be found in your answer. Please answer the task with one.'

A template that asks for a name nobody gives is an error, never an empty place. The wording is ours.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import jinja2

from turnwise.errors import TurnwiseError

DEFAULT_SET = "turnwise-1"
PROMPT_IDS = ("statement", "format_guide", "failed_tests", "no_code")


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
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
        hashes, templates = {}, {}
        for prompt_id in PROMPT_IDS:
            path = folder / f"{prompt_id}.j2"
            try:
                text = path.read_text(encoding="utf-8")
                templates[prompt_id] = environment.from_string(text)
            except OSError:
                raise TurnwiseError(f"The prompt set {folder.name!r} lacks the file {path.name!r}.") from None
            except jinja2.TemplateError as error:
                raise TurnwiseError(f"The prompt {str(path)!r} is no Jinja2 template: {error}.") from None
            hashes[prompt_id] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return cls(folder.name, hashes, templates)

    def render(self, prompt_id: str, **context: Any) -> str:
        """Return the prompt with ``context`` filled in; raises TurnwiseError for a name it does not have."""
        try:
            return self._templates[prompt_id].render(**context).strip("\n")
        except jinja2.UndefinedError as error:
            raise TurnwiseError(f"The prompt {prompt_id!r} of {self.name!r} uses an unknown name: {error}.") from None
