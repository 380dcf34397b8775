"""Published rows: numbers of the two papers, facts with their citations (data/published_rows.json).

They are shown apart from measured rows, never among them: models, prompts and judges differ. Nothing here
computes with them.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources

from turnwise.leaderboard.formats import Table

NON_CODE = "non-code"  # a share of the answers, no score
_ABLATED = "Llama 3.1 8B Instruct"
_ABLATIONS = ("base", "RLEF", "RLEF w/o execution feedback in training", "RLEF token-level value", "single-turn RL")


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One number of a paper, in percent; ``mode`` is single, multi, other or unstated, ``ci95`` an interval."""

    model: str
    method: str
    benchmark: str
    split: str
    metric: str
    mode: str
    value: float
    ci95: tuple[float, float] | None
    source: str
    table: str | None
    original: str | None
    temperature: float | None

    @property
    def citation(self) -> str:
        """Where the number stands, and whose it is where the paper took it over."""
        where = f"{self.source}, {self.table}" if self.table else self.source
        return f"{where}; there from {self.original}" if self.original else where

    @property
    def cell(self) -> str:
        """The number as printed, with its interval."""
        if self.metric == NON_CODE:
            return f"{self.value / 100:.2f}"
        interval = f" [{self.ci95[0]:.1f}, {self.ci95[1]:.1f}]" if self.ci95 else ""
        return f"{self.value:.1f}{interval}"


def published_rows(*, benchmarks: Iterable[str]) -> tuple[PublishedRow, ...]:
    """Return the rows on ``benchmarks``, in the order of the file."""
    text = (resources.files("turnwise.leaderboard") / "data" / "published_rows.json").read_text(encoding="utf-8")
    rows = [{**row, "ci95": tuple(row["ci95"]) if row["ci95"] else None} for row in json.loads(text)]
    wanted = set(benchmarks)
    return tuple(PublishedRow(**row) for row in rows if row["benchmark"] in wanted)


def published_table_of(benchmarks: Sequence[str]) -> list[Table]:
    """Return what was published on ``benchmarks``, valid and test side by side where both were."""
    rows = [row for row in published_rows(benchmarks=benchmarks) if row.metric != NON_CODE]
    return [_table(rows, f"{', '.join(benchmarks)}, published (not measured here), percent solved")]


def published_fine_tuning() -> list[Table]:
    """Return what 2410.08105 has of a model before and after rejection-sampling fine-tuning."""
    rows = published_rows(benchmarks=["codecontests"])
    tuned = {(row.model, row.metric, row.source) for row in rows if row.method == "RFT"}
    kept = [row for row in rows if (row.model, row.metric, row.source) in tuned and row.method in ("base", "RFT")]
    return [
        _table(
            kept,
            "Fine-tuning on CodeContests, published (not measured here), percent solved and non-code share",
        )
    ]


def published_ablation() -> list[Table]:
    """Return what 2410.02089 has of its 8B model trained in other ways: 1@3, all with 3 turns of feedback."""
    rows = [
        row
        for row in published_rows(benchmarks=["codecontests"])
        if (row.model, row.metric, row.mode) == (_ABLATED, "1@3", "multi") and row.method in _ABLATIONS
    ]
    kept = [row for row in rows if row.table != "Table 5"]  # which has two of them again
    return [_table(kept, "Ablation of RLEF on CodeContests, published (not measured here), percent solved")]


def _table(published: Iterable[PublishedRow], title: str) -> Table:
    found: dict[tuple[str, ...], dict[str, PublishedRow]] = {}
    for row in published:
        temperature = "" if row.temperature is None else f"{row.temperature:g}"
        name = (row.model, row.method, row.metric, row.mode, temperature, row.citation)
        found.setdefault(name, {})[row.split] = row
    splits = [split for split in ("valid", "test") if any(split in rows for rows in found.values())]
    body = tuple(
        (*name[:-1], *(rows[split].cell if split in rows else "" for split in splits), name[-1])
        for name, rows in found.items()
    )
    headers = ("model", "method", "metric", "turns", "temperature", *splits, "source")
    return Table(headers, body, 2, title)
