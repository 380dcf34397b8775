"""The tables of the two papers, in their layout, from runs of ours.

    grid       pass@k of one turn: reasoning prompts down, instructions across (2410.08105, section 4.1)
    feedback   n@k by the kind of execution feedback (2410.08105, section 4.2)
    turns      n@k and pass@k by the budget of turns (both)
    cot-gain   what the best prompts gain at pass@100, by the size of the model (2410.08105)
    taco       pass@k and n@k on TACO by difficulty (2410.08105)
    behaviour  failures, repairs, similarity, answers by turn (both; behaviour-chrf: with chrF)
    rlef       n@k on the valid and test splits of CodeContests (2410.02089, table 1)

A cell without a run is empty; two runs for one cell are an error. Published numbers stand in a table of their
own with their citations. Nothing is estimated here.
"""

from collections.abc import Callable, Sequence

from turnwise.errors import TurnwiseError
from turnwise.leaderboard.behaviour_tables import behaviour_tables, chrf_tables
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.rlef_tables import rlef_tables
from turnwise.leaderboard.tables import ScoredTask
from turnwise.leaderboard.zheng_tables import cot_gain_tables, feedback_tables, grid_tables, taco_tables, turns_tables
from turnwise.records.choices import PaperTable

PAPER_TABLES: dict[str, Callable[[Sequence[ScoredTask], Shown | None], list[Table]]] = {
    PaperTable.GRID: grid_tables,
    PaperTable.FEEDBACK: feedback_tables,
    PaperTable.TURNS: turns_tables,
    PaperTable.COT_GAIN: cot_gain_tables,
    PaperTable.TACO: taco_tables,
    PaperTable.RLEF: rlef_tables,
    PaperTable.BEHAVIOUR: behaviour_tables,
    PaperTable.BEHAVIOUR_CHRF: chrf_tables,
}


def paper_tables(kind: str, scored: Sequence[ScoredTask], *, over: Shown | None = None) -> list[Table]:
    """Return the tables called ``kind``, with intervals where they are asked for.

    Raises TurnwiseError for another name, or runs that fill no cell.
    """
    if kind not in PAPER_TABLES:
        raise TurnwiseError(f"--table is {kind!r}: choose one of {', '.join(PAPER_TABLES)}.")
    return PAPER_TABLES[kind](scored, over)
