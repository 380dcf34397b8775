"""Programs of a file that are Markdown: replies with fences that stand where programs should.

None of them compiles, so that other tools score a file of such 0 throughout; here they are counted, and said aloud.
What a text of Markdown holds is not looked at.
"""

import re
from collections import Counter

from turnwise.texts import shown

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_MOST = 0.9  # of a file's programs: the others may be refusals, or blank


class MarkdownPrograms:
    """Counts the programs of one file, by the field that they stand in, and those of them that are Markdown."""

    def __init__(self) -> None:
        self._programs: Counter[str] = Counter()
        self._with_fences: Counter[str] = Counter()

    def add(self, field: str, program: str) -> None:
        """Count a program; a blank one says nothing."""
        if program.strip():
            self._programs[field] += 1
            self._with_fences[field] += _FENCE.search(program) is not None

    def warning(self, file: str) -> str:
        """Return the sentence about ``file`` if it is Markdown throughout, else ""."""
        found, total = self._with_fences.total(), self._programs.total()
        if not found or found < _MOST * total:
            return ""
        fields = " and ".join(map(repr, sorted(self._with_fences)))
        return (
            f"{shown(file, limit=100)}: {found} of {total} programs in the field {fields} are Markdown, which is no "
            "Python: "
            'replay them as replies, {"task_id": ..., "turns": [TEXT]}, so that the program is taken out of each.'
        )
