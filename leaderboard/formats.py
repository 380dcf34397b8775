"""A table, and what it is written as: text, GitHub's markdown, LaTeX, CSV or JSON.

Cells are text that is shown as it is: what could end a cell or begin a link in markdown or LaTeX is escaped, and what
a spreadsheet would take for a formula has a ``'`` before it.
What stands in the cells, and what is marked as missing there, is decided by who makes the table.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tabulate import tabulate

from turnwise.json_text import json_text
from turnwise.records.choices import Style
from turnwise.texts import printable

_LINE_ENDS = re.compile(r"[\r\n]+")
_MARKDOWN_SPECIAL = re.compile(r"([\\|<\[`])")
# Full-width signs begin a formula, too, in spreadsheets of some languages.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-](\d+(\.\d*)?([eE][+-]?\d+)?|inf)?")  # or a dash, where there is none
_LONGEST_CELL = 2000
_BACKSLASH = r"\\\1"


_TABULATE = {Style.TEXT: "simple", Style.GITHUB: "github", Style.LATEX: "latex_booktabs"}


@dataclass(frozen=True, slots=True)
class Table:
    """Headers and rows of cells, the first ``texts`` columns being names; notes are sentences on the whole."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int
    title: str = ""
    notes: tuple[str, ...] = ()


def _document(table: Table) -> dict[str, object]:
    """Return the table as a JSON object, a row an object by header."""
    rows = [dict(zip(table.headers, row, strict=True)) for row in table.rows]
    return {"title": table.title, "rows": rows, "notes": list(table.notes)}


def render_table(table: Table, style: Style = Style.TEXT) -> str:
    """Return the table alone, without its title and notes (JSON: with them)."""
    if style == Style.JSON:
        return json_text(_document(table), indent=1, ensure_ascii=False)
    if style == Style.CSV:
        return to_csv([table.headers, *table.rows])
    headers = [_cell(cell, style) for cell in table.headers]
    rows = [[_cell(cell, style) for cell in row] for row in table.rows]
    align = ["left"] * table.texts + ["right"] * (len(table.headers) - table.texts)
    return tabulate(rows, headers=headers, tablefmt=_TABULATE[style], disable_numparse=True, colalign=align)


def render_tables(tables: Sequence[Table], style: Style = Style.TEXT) -> str:
    """Return tables with their titles and notes, one below the other (JSON: one document)."""
    if style == Style.JSON:
        return json_text([_document(table) for table in tables], indent=1, ensure_ascii=False)
    return "\n\n".join(_with_title(table, style) for table in tables)


def render_notes(notes: Sequence[str], style: Style) -> list[str]:
    """Return sentences as the style has them beside a table: none in CSV and JSON, comments in LaTeX."""
    if style in (Style.CSV, Style.JSON):
        return []
    if style == Style.LATEX:
        return [f"% {_LINE_ENDS.sub(' ', note)}" for note in notes]
    if style == Style.GITHUB:
        return [f"\n{_MARKDOWN_SPECIAL.sub(_BACKSLASH, note)}" for note in notes if note]
    return list(notes)


def to_csv(rows: Sequence[Sequence[object]]) -> str:
    """Return rows as CSV without a line end after the last; no cell is a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([no_formula(cell) for cell in row] for row in rows)
    return text.getvalue().rstrip("\n")


def no_formula(cell: object) -> object:
    """Return a CSV cell with ``'`` before a text that a spreadsheet would take for a formula; numbers stay numbers."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def as_written(cell: str) -> str:
    """Return the text that ``no_formula`` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _cell(cell: str, style: Style) -> str:
    cell = printable(_LINE_ENDS.sub(" ", cell), limit=_LONGEST_CELL)
    return _MARKDOWN_SPECIAL.sub(_BACKSLASH, cell) if style == Style.GITHUB else cell


def _with_title(table: Table, style: Style) -> str:
    body = render_table(table, style)
    notes = render_notes(table.notes, style)
    if style == Style.CSV:
        rows = [["table", *table.headers], *([table.title, *row] for row in table.rows)]
        return to_csv(rows)
    if style == Style.LATEX:
        return "\n".join([f"% {_LINE_ENDS.sub(' ', table.title)}", body, *notes])
    title = f"**{_cell(table.title, style)}**\n" if style == Style.GITHUB else table.title
    return "\n".join([title, body, *notes])
