"""Tables as text, markdown, LaTeX, CSV and JSON: whole texts, and names that would break out of a cell."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnwise.leaderboard.formats import (
    Table,
    as_written,
    no_formula,
    render_notes,
    render_table,
    render_tables,
    to_csv,
)
from turnwise.records.choices import Style

TABLE = Table(
    ("model", "pass@1"), (("a_b", "12.5*"), ("c", "")), 1, "pass@1 of a_b", ("* a_b: 1 of 8 dialogues are missing.",)
)
HOSTILE = Table(("model", "x"), (("a|b <i> [c](http://d) `e` \\", "1"), ("50% $x$ \\input{y} #_~^&", "2")), 1)

GOLDEN = {
    Style.TEXT: (
        "pass@1 of a_b\n"
        "model      pass@1\n"
        "-------  --------\n"
        "a_b         12.5*\n"
        "c\n"
        "* a_b: 1 of 8 dialogues are missing."
    ),
    Style.GITHUB: (
        "**pass@1 of a_b**\n"
        "\n"
        "| model   |   pass@1 |\n"
        "|---------|----------|\n"
        "| a_b     |    12.5* |\n"
        "| c       |          |\n"
        "\n"
        "* a_b: 1 of 8 dialogues are missing."
    ),
    Style.LATEX: (
        "% pass@1 of a_b\n"
        "\\begin{tabular}{lr}\n"
        "\\toprule\n"
        " model   &   pass@1 \\\\\n"
        "\\midrule\n"
        " a\\_b     &    12.5* \\\\\n"
        " c       &          \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "% * a_b: 1 of 8 dialogues are missing."
    ),
    Style.CSV: "table,model,pass@1\npass@1 of a_b,a_b,12.5*\npass@1 of a_b,c,",
}


@pytest.mark.parametrize("style", GOLDEN)
def test_a_table_in_each_style(style: Style) -> None:
    """Title, cells and notes; CSV has the title as a column and no notes."""
    assert "\n".join(line.rstrip() for line in render_tables([TABLE], style).splitlines()) == GOLDEN[style]


def test_a_table_as_json() -> None:
    """One document of all tables: a row is an object by header."""
    assert json.loads(render_tables([TABLE, TABLE], Style.JSON)) == 2 * [
        {
            "title": "pass@1 of a_b",
            "rows": [{"model": "a_b", "pass@1": "12.5*"}, {"model": "c", "pass@1": ""}],
            "notes": ["* a_b: 1 of 8 dialogues are missing."],
        }
    ]


def test_no_name_breaks_out_of_a_markdown_cell() -> None:
    """Bars, tags, links and code are shown as they are written."""
    row = render_table(HOSTILE, Style.GITHUB).splitlines()[2]
    assert row.startswith("| a\\|b \\<i> \\[c](http://d) \\`e\\` \\\\ ")
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 3


def test_no_name_is_a_command_of_latex() -> None:
    """Specials are escaped, so that nothing is read in or left out."""
    row = render_table(HOSTILE, Style.LATEX).splitlines()[5]
    assert "50\\% \\$x\\$ \\textbackslash{}input\\{y\\} \\#\\_" in row and "\\&" in row


def test_csv_reads_back_as_it_was() -> None:
    """Commas, quotes and line breaks in a cell stay in it."""
    rows = [["a,b", 'c"d', "e\nf"], ["", "1", "x"]]
    assert list(csv.reader(io.StringIO(to_csv(rows), newline=""))) == rows


def test_notes_in_latex_stay_comments() -> None:
    """A line break in a note cannot end the comment."""
    assert render_notes(["a\n\\input{b}\r\nc"], Style.LATEX) == ["% a \\input{b} c"]


@given(st.text(alphabet="'=+-@\t\r\n1.e x\uff21\uff1d", max_size=6))
def test_no_cell_is_a_formula_and_every_text_reads_back(text: str) -> None:
    """Whatever it begins with."""
    cell = no_formula(text)
    assert as_written(cell) == text
    assert not re.match("[=@\t\r\n\uff1d]", cell)
    assert not re.match(r"[+-]", cell) or cell == text in ("+", "-") or float(cell) is not None


def test_numbers_stay_numbers_in_csv() -> None:
    """Negative ones, signed ones and the dash for none; a formula that begins like one does not."""
    cells = ["-39.0", "+4.6", "-1e-05", "-", "-1+cmd|' /C calc'!A0", "-2+3", "=1", 7, -7]
    assert to_csv([cells]) == "-39.0,+4.6,-1e-05,-,'-1+cmd|' /C calc'!A0,'-2+3,'=1,7,-7"


@pytest.mark.parametrize("style", [Style.TEXT, Style.GITHUB, Style.LATEX])
def test_a_cell_is_one_printable_line(style: Style) -> None:
    """A name of others can end no row and reach no terminal."""
    table = Table(("name",), (("a\n| b\x1b[2J\u202e",),), 1)
    text = render_table(table, style)
    assert "\x1b" not in text and "\u202e" not in text
    assert len(text.splitlines()) == len(render_table(Table(("name",), (("a",),), 1), style).splitlines())
