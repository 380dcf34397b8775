"""The table of Gehring et al. (RLEF, 2410.02089, table 1), in its layout, from runs of ours.

With the interval ``rlef`` it stands beside each score as there; no coverage is claimed for it.
"""

from collections.abc import Sequence

from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.paper_cells import Cells, find_estimate, n_at_k_of, pivot, put
from turnwise.leaderboard.paper_names import model_of, those
from turnwise.leaderboard.papers import Shown
from turnwise.leaderboard.published import published_table_of
from turnwise.leaderboard.tables import ScoredTask, percent
from turnwise.texts import printable


def rlef_tables(scored: Sequence[ScoredTask], over: Shown | None = None) -> list[Table]:
    """Return n@k on the valid and test splits of CodeContests, and the published rows apart."""
    splits = {"valid": "valid", "test": "test"}
    contests = those(
        scored,
        lambda one: one.outcomes.record.benchmark == "codecontests" and one.outcomes.record.split in splits,
        "rlef",
        "CodeContests (valid or test)",
    )
    cells: Cells = {}
    for one in contests:
        settings = one.run.record.settings
        temperature = settings.sampling.temperature
        how = (
            printable(settings.profile, limit=80),
            str(one.outcomes.record.max_turns),
            "" if temperature is None else f"{temperature:g}",
        )
        for metric in n_at_k_of(one):
            key = (model_of(one), *how, metric, one.outcomes.record.split)
            put(cells, key, one, percent(find_estimate(one, metric), over))
    headers = ("model", "profile", "turns", "temperature", "n@k")
    table = pivot(cells, headers, list(splits), "CodeContests, measured here, percent solved")
    return [table, *published_table_of(["codecontests"])]
