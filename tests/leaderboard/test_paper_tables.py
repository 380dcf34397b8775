"""The papers' tables in their layout, whole: from runs whose dialogues are written by hand."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from turnwise.benchmarks.taco import DIFFICULTIES
from turnwise.commands.score import score_command
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_runs
from turnwise.leaderboard.formats import Table, render_tables
from turnwise.leaderboard.paper_tables import PAPER_TABLES, paper_tables
from turnwise.leaderboard.published import NON_CODE, published_rows
from turnwise.leaderboard.report import score_runs
from turnwise.leaderboard.tables import ScoredTask
from turnwise.records.choices import Style
from turnwise.records.codec import to_json
from turnwise.records.judgement import Judgement
from turnwise.records.run_folder import AskedProblem
from turnwise.records.settings import INSTRUCTIONS, NONE, REASONING, RunSettings, Sampling, TurnPlan
from turnwise.records.trajectory import Trajectory

MakeDialogue = Callable[..., Trajectory]
MakeJudgement = Callable[..., Judgement]
WriteRun = Callable[..., Path]
MakeRun = Callable[..., list[ScoredTask]]


@pytest.fixture
def run(tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement) -> MakeRun:
    """run(name, solved, ...): a scored run whose problem b/a was solved in ``solved`` of ``samples`` dialogues.

    ``record`` changes fields of its task in run.json, ``settings`` those of its settings.
    """

    def make(
        name: str,
        solved: int,
        *,
        samples: int = 2,
        turns: int = 1,
        model: str = "m-8B",
        record: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        problems: Sequence[AskedProblem] = (AskedProblem(id="b/a"),),
        n_at_k: tuple[str, ...] = (),
        temperature: float | None = None,
    ) -> list[ScoredTask]:
        words = ("fail",) * turns
        found, judgements = [], []
        for problem in problems:
            for sample in range(samples):
                last = "pass" if sample < solved else "fail"
                one = dialogue(*words[:-1], last, problem=problem.id, sample=sample)
                found.append(one)
                judgements += [judge(one)] if last == "pass" else []
        chosen = RunSettings(samples_per_problem=samples, n_at_k=n_at_k, sampling=Sampling(temperature=temperature))
        path = write_run(
            tmp_path / name, found, judgements, model=model, tasks={"t": turns}, problems=problems, settings=chosen
        )
        data = json.loads((path / "run.json").read_text())
        data["settings"] |= settings or {}
        data["tasks"][0] |= record or {}
        (path / "run.json").write_text(json.dumps(data))
        return score_runs(read_runs([path]))

    return make


def _text(tables: Sequence[Table]) -> str:
    return "\n".join(line.rstrip() for line in render_tables(tables).splitlines())


def test_the_grid_has_a_cell_for_each_pair_of_prompts(run: MakeRun) -> None:
    """Reasoning down, instructions across, a table for each pass@k; a pair without a run is empty."""
    plain = run("plain", 1)
    tagged = run("tagged", 2, settings={"reasoning": ["problem_tag"], "instruction": "docstrings"})
    tables = paper_tables("grid", [*plain, *tagged])
    assert [table.title for table in tables] == [
        f"{metric} of m-8B on t, percent, by reasoning prompt and instruction" for metric in ("pass@1", "pass@2")
    ]
    first = tables[0]
    assert first.headers == ("reasoning", NONE, *INSTRUCTIONS)
    assert [row[0] for row in first.rows] == [NONE, *REASONING]
    filled = {(row[0], head): cell for row in first.rows for head, cell in zip(first.headers, row, strict=True) if cell}
    assert {pair: cell for pair, cell in filled.items() if pair[1] != "reasoning"} == {
        ("none", "none"): "50.0",
        ("problem_tag", "docstrings"): "100.0",
    }


def test_feedback_kinds_stand_side_by_side(run: MakeRun) -> None:
    """A row for each n@k, a column for each kind of feedback."""
    coarse = run("coarse", 1, turns=2, n_at_k=("1@4",), settings={"feedback": "binary"})
    fine = run("fine", 2, turns=2, n_at_k=("1@4",), settings={"feedback": "ldb"})
    assert _text(paper_tables("feedback", [*coarse, *fine])) == (
        "Execution feedback, percent solved\n"
        "model    task    prompts    metric      binary    failed_tests    failed_and_passed    ldb    none    random\n"
        "-------  ------  ---------  --------  --------  --------------  -------------------  -----  ------  --------\n"
        "m-8B     t       none       1@2           50.0                                       100.0\n"
        "m-8B     t       none       1@4          100.0                                       100.0"
    )


def test_strategies_and_temperatures_are_told_apart(run: MakeRun) -> None:
    """Runs of one model that differ in them have rows of their own."""
    runs = [
        *run("plain", 1, turns=2, temperature=0.2),
        *run("hot", 1, turns=2, temperature=1.0),
        *run("retry", 2, turns=2, temperature=1.0, record={"strategy": "cot_retry"}),
        *run("own", 2, turns=2, record={"strategy": "mine"}, settings={"turns": [to_json(TurnPlan())] * 2}),
    ]
    (table,) = paper_tables("feedback", runs)
    assert sorted({row[:3] for row in table.rows}) == [
        ("m-8B", "t", "mine"),
        ("m-8B (T=0.2)", "t", "none"),
        ("m-8B (T=1)", "t", "cot_retry"),
        ("m-8B (T=1)", "t", "none"),
    ]


def test_turns_are_a_curve(run: MakeRun) -> None:
    """Each budget from the same run; n@k where the samples support it."""
    assert _text(paper_tables("turns", run("r", 1, turns=2, n_at_k=("1@2",)))) == (
        "By budget of turns, percent solved\n"
        "model    task    prompts    feedback      metric      1      2\n"
        "-------  ------  ---------  ------------  --------  ---  -----\n"
        "m-8B     t       none       failed_tests  1@2       0.0   50.0\n"
        "m-8B     t       none       failed_tests  pass@1    0.0   50.0\n"
        "m-8B     t       none       failed_tests  pass@2    0.0  100.0"
    )


def test_the_gain_of_prompts_is_ordered_by_size(run: MakeRun) -> None:
    """The best pair of prompts against none at pass@100, small models first, published numbers apart."""
    runs = [
        *run("big", 50, samples=100, model="m-70B"),
        *run("big-cot", 100, samples=100, model="m-70B", settings={"reasoning": ["problem_tag"]}),
        *run("small", 0, samples=100),
        *run("small-cot", 1, samples=100, settings={"instruction": "docstrings"}),
        *run("small-bad", 0, samples=100, settings={"reasoning": ["difficulty"]}),
    ]
    measured, published = paper_tables("cot-gain", runs)
    assert measured.rows == (
        ("8B", "m-8B", "t", "0.0", "100.0", "+100.0", "none + docstrings"),
        ("70B", "m-70B", "t", "100.0", "100.0", "+0.0", "problem_tag + none"),
    )
    assert [row[-2] for row in published.rows] == ["2.1", "3.9"]


def test_taco_has_a_column_for_each_difficulty(run: MakeRun) -> None:
    """From a run of all levels, and from runs of single ones put into one row."""
    levels = [AskedProblem(id=f"b/{level}", difficulty=level) for level in DIFFICULTIES[:2]]
    whole = run("whole", 1, record={"benchmark": "taco"}, problems=levels)
    parts = [
        run(level, solved, model="n", record={"benchmark": "taco"}, problems=[AskedProblem(id="b/a", difficulty=level)])
        for level, solved in (("EASY", 2), ("VERY_HARD", 0))
    ]
    table, published = paper_tables("taco", [*whole, *(one for part in parts for one in part)])
    assert table.headers == ("model", "prompts", "turns", "metric", *DIFFICULTIES, "all")
    assert [row for row in table.rows if row[3] == "pass@1"] == [
        ("m-8B", "none", "1", "pass@1", "50.0", "50.0", "", "", "", "50.0"),
        ("n", "none", "1", "pass@1", "100.0", "", "", "", "0.0", ""),
    ]
    assert "published" in published.title and "published" not in table.title


def test_rlef_has_valid_beside_test_and_what_was_published_apart(run: MakeRun) -> None:
    """Measured rows stand in a table of their own; every published number has its citation."""
    runs = [
        *run("v", 1, turns=2, record={"benchmark": "codecontests", "split": "valid"}, temperature=0.2),
        *run("t", 2, turns=2, record={"benchmark": "codecontests"}, temperature=0.2),
    ]
    measured, published = paper_tables("rlef", runs)
    assert measured.rows == (("m-8B", "default", "2", "0.2", "1@2", "50.0", "100.0"),)
    known = [one for one in published_rows(benchmarks=["codecontests"]) if one.metric != NON_CODE]
    cells = [cell for row in published.rows for cell in row[5:7] if cell]
    assert sorted(cells) == sorted(one.cell for one in known) and len(known) > 50
    assert {row[-1] for row in published.rows} == {one.citation for one in known}
    of_70b = next(row for row in published.rows if row[:3] == ("Llama 3.1 70B Instruct", "RLEF", "10@100"))
    assert of_70b[5:] == ("54.5", "54.5", "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 1")
    assert not {one.run.model for one in runs} & {row[0] for row in published.rows}


def test_rft_has_before_and_after_with_the_gain_and_what_was_published(run: MakeRun) -> None:
    """Two runs of a task have their difference below; by turn they stand in a table of their own."""
    before = run("before", 1, samples=4, turns=2, n_at_k=("2@4",))
    after = run("after", 3, samples=4, turns=2, n_at_k=("2@4",), model="m-8B-tuned")
    scores, by_turn, published = paper_tables("rft", [*before, *after])
    assert scores.headers == ("model", "task", "1@1", "1@2", "2@4", "non-code", "difflib", "characters", "tokens")
    assert [row[:5] for row in scores.rows] == [
        ("m-8B", "t", "0.0", "25.0", "50.0"),
        ("m-8B-tuned", "t", "0.0", "75.0", "100.0"),
        ("gain", "", "+0.0", "+50.0", "+50.0"),
    ]
    assert [(row[0], row[2]) for row in by_turn.rows] == [
        (name, turn) for name in ("m-8B", "m-8B-tuned") for turn in "12"
    ]
    cells = {(row[1], row[2]): [cell for cell in row[5:-1] if cell] for row in published.rows}
    assert cells == {
        ("base", "10@100"): ["50.9"],
        ("RFT", "10@100"): ["57.2"],
        ("base", "non-code"): ["0.37"],
        ("RFT", "non-code"): ["0.50"],
    }


def test_rft_has_no_gain_of_three_runs_nor_of_what_is_not_known(run: MakeRun) -> None:
    """A difference is of two rows; one that lacks a metric leaves its cell empty."""
    two = [*run("a", 1, samples=2, turns=2), *run("b", 2, samples=4, turns=2, n_at_k=("2@4",))]
    scores = paper_tables("rft", two)[0]
    assert scores.rows[2][:5] == ("gain", "", "+0.0", "+0.0", "")
    assert len(paper_tables("rft", [*two, *run("c", 0, turns=2)])[0].rows) == 3


def test_what_a_paper_took_over_is_cited_as_such() -> None:
    """The first author of the number stands in the citation, its interval in the cell."""
    rows = published_rows(benchmarks=["codecontests"])
    assert rows[0].citation == "RLEF v2 (ICML 2025, arXiv:2410.02089), Table 1; there from Li et al. 2022"
    assert next(row for row in rows if row.ci95).cell == "25.3 [23.2, 26.3]"


def test_what_is_missing_is_footnoted(tmp_path: Path, write_run: WriteRun) -> None:
    """A cell that could change has its star and the note of its task, once."""
    scored = score_runs(read_runs([write_run(tmp_path / "run", [], tasks={"t": 2})]))
    (table,) = paper_tables("turns", scored)
    assert {cell for row in table.rows for cell in row[5:]} == {"missing"}
    assert len(table.notes) == 1 and "1 of 1 dialogues are missing" in table.notes[0]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("", "--table is '': choose one of grid, feedback, turns, cot-gain, taco, rlef, rft, rlef-ablation, behaviour"),
        ("cot-gain", "--table cot-gain shows pass@100, and .* has 2 samples a problem: name runs with at least 100"),
        ("taco", "--table taco needs a run of TACO, and none of those named is one"),
        ("rlef", "needs a run of CodeContests"),
        ("turns", "needs a run of a multi-turn task"),
        ("rft", "needs a run of a multi-turn task"),
        ("feedback", "needs a run of a multi-turn task"),
    ],
)
def test_runs_that_fill_no_cell_are_refused(run: MakeRun, kind: str, message: str) -> None:
    """The table, what it needs and what to do."""
    with pytest.raises(TurnwiseError, match=message):
        paper_tables(kind, run("r", 1))


def test_two_runs_for_one_cell_are_refused(run: MakeRun) -> None:
    """Both are named; neither is silently taken."""
    both = [*run("one", 1), *run("two", 2)]
    with pytest.raises(TurnwiseError, match=r"one' and .*two' are both none, none: name one of them"):
        paper_tables("grid", both)


@pytest.mark.parametrize("style", Style)
def test_a_table_of_the_papers_can_be_printed_in_each_style(run: MakeRun, tmp_path: Path, style: Style) -> None:
    """With the settings it rests on where the style has room for sentences."""
    run("r", 1, turns=2)
    said = score_command([tmp_path / "r"], style=style, table="turns")
    assert ("Settings: " in said) == (style in (Style.TEXT, Style.GITHUB, Style.LATEX))
    assert "failed" in said and "50.0" in said
    if style is Style.JSON:
        assert json.loads(said)[0]["rows"][0]["metric"] == "pass@1"


def test_every_table_has_a_line_in_the_help() -> None:
    """The command line's help names each."""
    from typer.main import get_command

    from turnwise.cli.app import app

    group: Any = get_command(app)
    options = group.commands["score"].params
    (table,) = (one for one in options if one.name == "table")
    assert all(kind in table.help for kind in PAPER_TABLES)


def test_the_tables_show_turns_and_ends(
    tmp_path: Path, write_run: WriteRun, dialogue: MakeDialogue, judge: MakeJudgement
) -> None:
    """Percent of the turn's dialogues; the measure of similarity stands over its column; what is open has a star."""
    right = dialogue("fail", "pass", problem="b/a", tokens=(9, 5))
    open_ = dialogue("none", "pass", problem="b/b", tokens=(9, 5))
    path = write_run(tmp_path / "run", [right, open_], [judge(right)], tasks={"t": 2}, problems=["b/a", "b/b"])
    turns, ends = paper_tables("behaviour", score_runs(read_runs([path])))
    assert [row[2:11] for row in turns.rows] == [
        ("1", "2", "0.0", "50.0", "0.0", "0.0", "0.0", "0.0", "50.0"),
        ("2", "2", "100.0*", "0.0", "0.0", "0.0", "0.0", "0.0", "0.0"),
    ]
    assert turns.headers[11:] == ("repaired", "difflib", "non-code", "characters", "tokens")
    assert turns.rows[1][11] == "100.0" and turns.rows[1][-1] == "5" and turns.rows[0][12] == ""
    assert ends.rows == (("m", "t", "2", "100.0", *["0.0"] * 5),)
    assert paper_tables("behaviour-chrf", score_runs(read_runs([path])))[0].headers[12] == "chrF"
