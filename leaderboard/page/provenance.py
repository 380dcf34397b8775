"""What a row of the page rests on, as pairs of a name and a text: enough to run it again and to doubt it."""

from collections.abc import Iterator, Mapping
from typing import Any

from turnwise.leaderboard.page.rows import PageRow
from turnwise.leaderboard.report import settings_text
from turnwise.records.codec import to_json


def provenance(row: PageRow) -> list[tuple[str, str]]:
    """Return the pairs, those without a text left out."""
    return [(name, text) for name, text in _pairs(row) if text]


def _pairs(row: PageRow) -> Iterator[tuple[str, str]]:
    run, outcomes = row.scored.run, row.scored.outcomes
    record, settings, judge = outcomes.record, run.record.settings, run.record.judge
    yield "settings", settings_text(row.scored)
    yield "command", run.record.command
    yield "model", _lines(run.record.model)
    yield "size", f"{row.facts.size_billions:g} billion parameters" if row.facts.size_billions else ""
    yield "weights", {None: "", True: "open", False: "closed"}[row.facts.open_weights]
    yield "license", row.facts.license
    yield "link", row.facts.url
    yield "data", f"{record.benchmark}, split {record.split}, sha256 {record.data_sha256}"
    yield "benchmark", f"of its own, sha256 {record.benchmark_sha256}" if record.benchmark_sha256 else ""
    yield "problems", _problems(row)
    yield "strategy", record.strategy
    yield "prompts", f"set {run.record.prompts.set}\n{_lines(run.record.prompts.hashes)}".strip()
    yield "sampling", _lines(settings.sampling.told())
    yield "judge", _lines({**to_json(judge), "isolation": " and ".join(outcomes.tiers)})
    yield "dialogues", f"{outcomes.dialogues}, of which {outcomes.missing} are missing"
    yield "how they ended", _counts(outcomes.ends)
    yield "verdicts", _counts(outcomes.verdicts)
    yield "costs", _costs(row)
    yield "notes", "\n".join(row.notes)
    yield "turnwise", run.record.turnwise


def _problems(row: PageRow) -> str:
    record = row.scored.outcomes.record
    left_out = f"; left out: {len(record.left_out)}" if record.left_out else ""
    return f"{len(record.asked)} asked of {record.loaded} loaded{left_out}"


def _costs(row: PageRow) -> str:
    costs = row.scored.outcomes.costs
    known = costs.prompt_tokens is not None and costs.completion_tokens is not None
    tokens = f", {costs.prompt_tokens:,} tokens of prompts, {costs.completion_tokens:,} of replies" if known else ""
    return f"{costs.model_calls:,} calls{tokens}, {costs.judge_cpu_seconds:.1f} s of CPU time for judging"


def _counts(counts: Any) -> str:
    return ", ".join(f"{count} {name.value.replace('_', ' ')}" for name, count in sorted(counts.items()) if count)


def _lines(data: Mapping[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in data.items() if value not in ("", None))
