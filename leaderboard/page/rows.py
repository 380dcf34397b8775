"""The rows of the page: a row for each task of each run, with every estimate, its facets and its provenance.

Numbers are those of scores.json, unchanged; the page rounds them where it shows them. Facts on a model that a run
does not hold (its size, whether its weights are open, a link) come from a file of the user's, ``ModelFacts``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError
from turnwise.leaderboard.paper_names import size_of
from turnwise.leaderboard.scores import Estimate
from turnwise.leaderboard.tables import ScoredTask, notes, run_names
from turnwise.records.choices import Parity
from turnwise.texts import printable, shown


class ModelFacts(BaseModel):
    """What the user says of a model: billions of parameters, open weights, a link, how to cite it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    size_billions: float | None = None
    open_weights: bool | None = None
    url: str = ""
    license: str = ""
    bibtex: str = ""


@dataclass(frozen=True, slots=True)
class PageRow:
    """One task of one run as the page knows it; ``key`` names it in permalinks."""

    key: str
    name: str
    scored: ScoredTask
    facts: ModelFacts
    notes: tuple[str, ...]

    @property
    def task(self) -> str:
        """The task's name."""
        return self.scored.outcomes.record.task

    def facets(self) -> dict[str, str]:
        """Return what the page can filter by; an empty text where it is not known."""
        settings, record = self.scored.run.record.settings, self.scored.outcomes.record
        size, is_open = self.facts.size_billions, self.facts.open_weights
        return {
            "benchmark": record.benchmark,
            "split": record.split,
            "turns": str(record.max_turns),
            "strategy": record.strategy,
            "reasoning": " + ".join(map(str, settings.reasoning or [])) or "none",
            "instruction": str(settings.instruction or "none"),
            "feedback": str(settings.feedback) if record.max_turns > 1 else "none",
            "profile": str(settings.profile),
            "temperature": _text(settings.sampling.temperature),
            "size": _size_band(size),
            "weights": "" if is_open is None else "open" if is_open else "closed",
        }


def make_rows(scored: Sequence[ScoredTask], facts: Mapping[str, ModelFacts]) -> list[PageRow]:
    """Return the rows in the order of ``scored``, with keys that no two of them share."""
    names = run_names(scored)
    seen: dict[str, int] = {}
    rows = []
    for one in scored:
        key = re.sub(r"[^\w.-]+", "-", f"{one.run.path.name}.{one.outcomes.record.task}")
        seen[key] = seen.get(key, 0) + 1
        unique = key if seen[key] == 1 else f"{key}.{seen[key]}"
        known = facts.get(one.run.model, ModelFacts())
        if known.size_billions is None:
            known = known.model_copy(update={"size_billions": size_of(one.run.model)})
        rows.append(PageRow(unique, names[one.run.path], one, known, tuple(notes([one]))))
    return rows


def read_facts(path: Path) -> dict[str, ModelFacts]:
    """Return the facts of a yaml or JSON file, ``{model: {size_billions, open_weights, url, license, bibtex}}``.

    Raises TurnwiseError, naming the file and the model, for anything else.
    """
    otherwise = "is no mapping of model names"
    remedy = "write 'MODEL: {size_billions: 7.6}' and the like, as docs/leaderboard.md has it"
    document = read_mapping(path, "The file of facts on models", otherwise=otherwise, remedy=remedy)
    found = {}
    for model, data in document.items():
        try:
            found[str(model)] = ModelFacts.model_validate(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"]))
            name = printable(str(model), limit=80)
            problem = f"{where}: {first['msg'].lower()}" if where else f"{shown(data)} is no mapping"
            raise TurnwiseError(
                f"The facts on models {str(path)!r} are not usable ({name}, {printable(problem, limit=200)}): "
                f"known are {', '.join(ModelFacts.model_fields)}."
            ) from None
    return found


def estimate_key(one: Estimate) -> str:
    """Return the name of an estimate in the page's data."""
    return f"{one.group}|{one.metric}|{one.turns}"


def estimate_cells(one: Estimate) -> list[Any]:
    """Return ``[value, counted, asked, lower bound, upper bound, {over: [lower, upper]}]``."""
    intervals = {
        over.value: [interval.lower, interval.upper]
        for over, interval in one.intervals.items()
        if not isinstance(over, Parity)
    }
    return [one.value, one.counted, one.asked, one.lower_bound, one.upper_bound, intervals]


def tokens_per_dialogue(scored: ScoredTask) -> float | None:
    """Return the mean tokens of prompts and replies of a dialogue; None where the model does not tell."""
    costs, known = scored.outcomes.costs, scored.outcomes.dialogues - scored.outcomes.missing
    if costs.prompt_tokens is None or costs.completion_tokens is None or not known:
        return None
    return (costs.prompt_tokens + costs.completion_tokens) / known


def _size_band(size: float | None) -> str:
    if size is None:
        return ""
    for upper, name in ((4, "up to 4B"), (15, "4B to 15B"), (40, "15B to 40B"), (100, "40B to 100B")):
        if size <= upper:
            return name
    return "over 100B"


def _text(value: Any) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
