"""The site: index.html with everything inside, or, above 8 MB, with the dialogues in files beside it.

    index.html                 the page
    data/<hash>.js             dialogues of some problems of a run, read when they are opened

The new page is in place before files of the old one are removed, and files are named by what they hold: a page that
is being read stays whole. Equal runs make equal bytes.

A policy in the page names the two scripts and the style by their hashes, so that no other script can run, whatever the
data hold. All text goes through Jinja's escaping; JSON stands in scripts of type application/json with every ``<``,
``>`` and ``&`` written as an escape, so that it cannot end them.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

import turnwise
from turnwise.files import inside, write_atomically
from turnwise.json_text import json_line
from turnwise.leaderboard.audits import judge_line, published_table, rates_table
from turnwise.leaderboard.charts import specs
from turnwise.leaderboard.charts.data import KINDS, Series, chart_data, headline
from turnwise.leaderboard.page.dialogues import DialogueReader, Piece, packed
from turnwise.leaderboard.page.table import (
    Bar,
    ModelFacts,
    PageRow,
    describe_task,
    estimate_cells,
    estimate_key,
    make_rows,
    task_tables,
    tokens_per_dialogue,
)
from turnwise.leaderboard.published import published_rows, published_table_of
from turnwise.leaderboard.report import settings_lines, settings_text
from turnwise.leaderboard.tables import ScoredTask, metric_columns
from turnwise.records.audit import Audit
from turnwise.records.codec import to_json
from turnwise.tasks.behaviour import Behaviour
from turnwise.texts import printable

DEFAULT_TITLE = "Multi-turn code generation"
INLINE_BYTES = 8_000_000
Progress = Callable[[str, int, int], None]
SCRIPTS = ("dom", "state", "ranking", "code", "viewer", "charts", "problems", "copy", "main")
_ESCAPES = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What the page is called, facts on models, the script that draws charts, and audits of its judges."""

    vega: str
    title: str = DEFAULT_TITLE
    facts: Mapping[str, ModelFacts] = field(default_factory=dict)
    audits: Sequence[Audit] = ()
    inline_bytes: int = INLINE_BYTES


def write_site(
    folder: Path, scored: Sequence[ScoredTask], reader: DialogueReader, options: SiteOptions, on_progress: Progress
) -> Path:
    """Write the page on ``scored`` into ``folder`` and return the path of index.html.

    ``reader`` has taken in the dialogues of the runs as they were read.
    """
    rows = make_rows(scored, options.facts)
    pieces: list[Piece] = []
    behaviours: dict[str, Behaviour] = {}
    for row in rows:
        behaviours[row.key], of_row = reader.read(row)
        pieces += of_row
    size = sum(len(one.data) for one in pieces)
    sidecars = size > options.inline_bytes
    context = _context(rows, behaviours, pieces, options, on_progress, sidecars=sidecars)
    page = render_document(context, vega=options.vega, sidecars=sidecars)
    kept = _write_sidecars(folder, rows, pieces) if sidecars else set()
    write_atomically(folder / "index.html", page)
    for path in inside(folder, "data").glob("*.js"):
        if path.name not in kept and re.fullmatch(r"[0-9a-f]{16}\.js", path.name):
            path.unlink()
    return folder / "index.html"


def _context(
    rows: Sequence[PageRow],
    behaviours: Mapping[str, Behaviour],
    pieces: Sequence[Piece],
    options: SiteOptions,
    on_progress: Progress,
    *,
    sidecars: bool,
) -> dict[str, object]:
    by_task: dict[str, list[PageRow]] = {}
    for row in rows:
        by_task.setdefault(row.task, []).append(row)
    tasks = [_task(several, behaviours, on_progress) for several in by_task.values()]
    metrics = metric_columns([row.scored for row in rows])
    of_tasks = [task_tables(several, task, metrics) for several, task in zip(by_task.values(), tasks, strict=True)]
    tables = [table for several in of_tasks for table in several]
    index = {row.key: number for number, row in enumerate(rows)}
    pairs = [(f"pairs-{number}", packed(task.pop("pairs"))) for number, task in enumerate(tasks)]
    return {
        "title": printable(options.title, limit=200),
        "version": turnwise.__version__,
        "most_turns": max(row.scored.outcomes.record.max_turns for row in rows),
        "facts": _facts(rows, tasks),
        "metrics": metrics,
        "tables": tables,
        "notes": [(row.key, note) for row in rows for note in row.notes],
        "settings": settings_lines([row.scored for row in rows]),
        "published": _published(rows),
        "audits": [(rates_table(audit), judge_line(audit)) for audit in options.audits],
        "published_rates": published_table(),
        "has_dialogues": bool(pieces),
        "data": island(_data(rows, tasks, metrics, _places(pieces, index, sidecars=sidecars))),
        "pieces": [
            *pairs,
            *([] if sidecars else [(f"piece-{index[one.row]}-{one.number}", one.data) for one in pieces]),
        ],
    }


def _task(rows: Sequence[PageRow], behaviours: Mapping[str, Behaviour], on_progress: Progress) -> dict[str, object]:
    on_progress(f"ranking {rows[0].task}", 0, 1)
    series = [Series(row.key, row.name, row.scored, behaviours.get(row.key)) for row in rows]
    charts = {name: to_json(data) for name, data in chart_data(series).items()}
    return describe_task(rows, on_progress) | {"rows": [row.key for row in rows], "charts": charts}


def _data(
    rows: Sequence[PageRow], tasks: Sequence[dict[str, Any]], metrics: Sequence[str], pieces: dict[str, object]
) -> dict[str, object]:
    shown = {name for task in tasks for name in task["charts"]}
    return {
        "tasks": tasks,
        "metrics": metrics,
        "rows": {row.key: _row(row, number) for number, row in enumerate(rows)},
        "pieces": pieces,
        "charts": {
            name: {"title": one.title, "about": one.about, "spec": one.spec}
            for name, one in specs.charts().items()
            if name in shown
        },
        "colours": {"light": specs.LIGHT, "dark": specs.DARK},
        "outcomes": list(KINDS),
        "outcomeColours": {"light": specs.OUTCOMES_LIGHT, "dark": specs.OUTCOMES_DARK},
        "themes": {"light": specs.theme(), "dark": specs.theme(dark=True)},
        "references": [_references()],
    }


def _references() -> str:
    """Return how to cite the two papers."""
    return (resources.files("turnwise.leaderboard") / "data" / "references.bib").read_text(encoding="utf-8").strip()


def _row(row: PageRow, number: int) -> dict[str, object]:
    """Return a row as the page's script reads it; estimates by ``group|metric|turns``."""
    outcomes = row.scored.outcomes
    return {
        "key": row.key,
        "name": row.name,
        "run": row.scored.run.path.name,
        "task": row.task,
        "facets": row.facets(),
        "notes": list(row.notes),
        "dialogues": outcomes.dialogues,
        "missing": outcomes.missing,
        "calls": outcomes.costs.model_calls,
        "tokens": tokens_per_dialogue(row.scored),
        "estimates": {estimate_key(one): estimate_cells(one) for one in row.scored.estimates},
        "index": number,
        "metric": headline(row.scored),
        "metrics": metric_columns([row.scored]),
        "details": provenance(row),
        "bibtex": row.facts.bibtex,
    }


def _places(pieces: Sequence[Piece], index: Mapping[str, int], *, sidecars: bool) -> dict[str, object]:
    """Return the pieces of each row: the problems in them, and their file where they lie beside the page."""
    found: dict[str, Any] = {}
    for one in pieces:
        entry: dict[str, object] = {"problems": one.problems}
        if sidecars:
            entry["file"] = f"data/{_sidecar(one, index[one.row])[0]}"
        found.setdefault(one.row, []).append(entry)
    return found


def _sidecar(piece: Piece, index: int) -> tuple[str, str]:
    """Return the name and the text of a piece's file: a script, since a page opened from a file may load no other."""
    text = f'turnwise("{index}-{piece.number}","{piece.data}");\n'
    return f"{hashlib.sha256(text.encode('ascii')).hexdigest()[:16]}.js", text


def _write_sidecars(folder: Path, rows: Sequence[PageRow], pieces: Sequence[Piece]) -> set[str]:
    index = {row.key: number for number, row in enumerate(rows)}
    named = dict(_sidecar(one, index[one.row]) for one in pieces)
    for name, text in named.items():
        if not inside(folder, "data", name).exists():
            write_atomically(inside(folder, "data", name), text)
    return set(named)


def _facts(rows: Sequence[PageRow], tasks: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the counts at the head of the page."""
    counts = [
        (len({row.scored.run.path for row in rows}), "run"),
        (len(tasks), "task"),
        (sum(len(task["problems"]) for task in tasks), "problem"),
        (sum(row.scored.outcomes.dialogues for row in rows), "dialogue"),
        (sum(row.scored.outcomes.costs.model_calls for row in rows), "reply"),
    ]
    plurals = {"reply": "replies"}
    return [(f"{count:,}", what if count == 1 else plurals.get(what, f"{what}s")) for count, what in counts]


def _published(rows: Sequence[PageRow]) -> list[object]:
    """Return the tables of published numbers on the page's benchmarks, those of a sample being those it is of."""
    wanted = {row.scored.outcomes.record.benchmark.removeprefix("sample_") for row in rows}
    known = dict.fromkeys(one.benchmark for one in published_rows(benchmarks=wanted))
    return [table for benchmark in known for table in published_table_of([benchmark])]


def asset(name: str) -> str:
    """Return the text of a file in ``assets``."""
    return (resources.files("turnwise.leaderboard.page") / "assets" / name).read_text(encoding="utf-8")


def island(data: object) -> Markup:
    """Return ``data`` as JSON that can stand in a script element of type application/json."""
    text = json_line(data)
    return Markup(text.translate(_ESCAPES))  # every character that HTML knows is escaped just above


def render_document(context: Mapping[str, object], *, vega: str, sidecars: bool) -> str:
    """Return the page; ``vega`` is the script that draws charts, ``sidecars`` whether data lie beside the page."""
    script = '(() => {\n"use strict";\n' + "\n".join(asset(f"{name}.js") for name in SCRIPTS) + "})();\n"
    style = asset("page.css")
    if "</script" in vega.lower():
        raise ValueError("the script that draws charts would end its element")
    hashes = " ".join(_source(text) for text in (script, vega))
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {hashes}" + (" 'self'" if sidecars else ""),
            f"style-src {_source(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    # Our own files; nothing of a run is in them.
    trusted = {"script": Markup(script), "style": Markup(style), "vega": Markup(vega)}
    environment = Environment(
        loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2").render({**context, **trusted, "policy": policy, "bar": _draw_bar})


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def _draw_bar(bar: Bar) -> Markup:
    rules = Markup("").join(
        Markup('<line class="rule" x1="{0}" x2="{0}" y1="0" y2="20"></line>').format(x)
        for x in (0, 250, 500, 750, 1000)
    )
    drawn = Markup("")
    if bar.point is not None:
        drawn = Markup(
            '<rect class="reach" x="{}" y="6" width="{}" height="8" rx="2"></rect>'
            '<rect class="point" x="{}" y="2" width="8" height="16"></rect>'
        ).format(bar.start, bar.width, bar.point)
    start = Markup('<svg class="bar" viewBox="0 0 1000 20" preserveAspectRatio="none" aria-hidden="true">')
    return start + rules + drawn + Markup("</svg>")


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
    yield "tests left out", "\n".join(f"{name}: {count}" for name, count in record.invalid_tests.items())
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
    checked = f"; with a checker or a stated tolerance: {record.checked}" if record.checked else ""
    return f"{len(record.asked)} asked of {record.loaded} loaded{left_out}{checked}"


def _costs(row: PageRow) -> str:
    costs = row.scored.outcomes.costs
    known = costs.prompt_tokens is not None and costs.completion_tokens is not None
    tokens = f", {costs.prompt_tokens:,} tokens of prompts, {costs.completion_tokens:,} of replies" if known else ""
    return f"{costs.model_calls:,} calls{tokens}, {costs.judge_cpu_seconds:.1f} s of CPU time for judging"


def _counts(counts: Any) -> str:
    return ", ".join(f"{count} {name.value.replace('_', ' ')}" for name, count in sorted(counts.items()) if count)


def _lines(data: Mapping[str, object]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in data.items() if value not in ("", None))
