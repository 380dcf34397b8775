"""Rows of runs whose replies were withheld, or prompts cut, carry a mark and a footnote in every kind of table."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from turnwise.commands.publish import publish_command
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.formats import render_tables
from turnwise.leaderboard.grid import grid_tables
from turnwise.leaderboard.paper_tables import paper_tables
from turnwise.leaderboard.report import score_runs
from turnwise.leaderboard.tables import ODD, ScoredTask
from turnwise.records.choices import Style
from turnwise.records.judgement import Judgement
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import Trajectory

MakeScored = Callable[..., ScoredTask]


@pytest.fixture
def scored(
    tmp_path: Path,
    write_run: Callable[..., Path],
    dialogue: Callable[..., Trajectory],
    judge: Callable[..., Judgement],
) -> MakeScored:
    """scored(name, withheld, turns=): a run of 150 samples, of which the filter withheld the first ``withheld``."""

    def make(name: str, withheld: int, *, turns: int = 1) -> ScoredTask:
        found = [dialogue(*["fail"] * turns, sample=sample) for sample in range(150)]
        for number in range(withheld):
            (*others, turn) = found[number].turns
            (call,) = turn.calls
            call = replace(call, reply=replace(call.reply, withheld="content_filter"))
            found[number] = replace(found[number], turns=(*others, replace(turn, calls=(call,))))
        path = write_run(
            tmp_path / name,
            found,
            [judge(found[-1])],
            model=name,
            tasks={"t": turns},
            settings=RunSettings(samples_per_problem=150),
        )
        (one,) = score_runs(read_runs([path]))
        return one

    return make


@pytest.mark.parametrize("style", Style)
def test_tables_of_grids_and_papers_mark_what_was_withheld(scored: MakeScored, style: Style) -> None:
    """In the row of that run alone, and only above 1 % of its dialogues."""
    odd, usual = scored("odd", 3), scored("usual", 1)
    several, plain = scored("several", 3, turns=2), scored("plain", 0, turns=2)
    for tables in (
        grid_tables([odd, usual]),
        paper_tables("grid", [odd, usual]),
        paper_tables("cot-gain", [odd, usual]),
        paper_tables("behaviour", [odd, usual]),
        paper_tables("feedback", [several, plain]),
        paper_tables("turns", [several, plain]),
    ):
        text = render_tables(tables, style)
        assert ODD in text
        footnotes = [note for table in tables for note in table.notes if f"{ODD} in 3 of 150 dialogues" in note]
        assert footnotes and (style is Style.CSV or footnotes[0][:20] in text)
    for tables in (grid_tables([usual]), paper_tables("grid", [usual]), paper_tables("turns", [plain])):
        assert ODD not in render_tables(tables, style)


def test_the_page_marks_what_was_withheld(scored: MakeScored, tmp_path: Path) -> None:
    """Behind the model's name, with a key and the numbers; a page without such a run has neither."""
    for name, withheld, count in (("odd", 3, 3), ("usual", 1, 0)):
        scored(name, withheld)
        publish_command([tmp_path / name], tmp_path / f"site-{name}", environ={}, allow_missing=True)
        page = (tmp_path / f"site-{name}" / "index.html").read_text().partition("<script")[0]
        assert page.count(ODD) == count, name
        assert (f'<th scope="row">{name} {ODD}<' in page) == bool(count)
