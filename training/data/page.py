"""report.html of training data: what each step left and why it dropped the rest, for a reader of any screen.

One file without script, image or address of another server. All text goes through Jinja's escaping, and a policy in the
page names its style by its hash, so that nothing else in it can act.
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from turnwise.files import write_atomically
from turnwise.records.contamination import Pair
from turnwise.records.contamination import Reason as Alike
from turnwise.records.training import DataReport, StepCount
from turnwise.texts import encodable
from turnwise.training.data.counting import KINDS, MULTI
from turnwise.training.data.selection import Reason, Step

PAGE = "report.html"
_STEPS = {
    Step.ASKED: "The dialogues that the runs asked for.",
    Step.JUDGED: "Joined with their verdicts; nothing is known of the others.",
    Step.SOLVED: "The program of the last turn passes all tests.",
    Step.WHOLE: "Every reply is whole, and was given to the whole prompt.",
    Step.DISTINCT: "Its last program is no near copy of an earlier one; so many are kept of a problem, first come.",
    Step.UNCONTAMINATED: "The problem stands in none of the test sets.",
    Step.REPLAYED: "Reasoning and instruction prompts are taken out, and the dialogue is the same without them.",
    Step.FITTING: "No row is longer than the model reads; nothing is cut.",
}
_REASONS = {
    Reason.NOT_SAMPLED: "not sampled",
    Reason.REQUEST_FAILED: "a request failed",
    Reason.INFRASTRUCTURE_FAILURE: "the machine failed",
    Reason.NOT_JUDGED: "not judged",
    Reason.NO_CODE: "no program in the last reply",
    Reason.FAILED: "the last program fails",
    Reason.CONTEXT_OVERFLOW: "no room for the last turn",
    Reason.WITHHELD: "the provider withheld a reply",
    Reason.PROMPT_CUT: "the server cut a prompt",
    Reason.REPLY_CUT: "the token limit cut a reply",
    Reason.NEAR_COPY: "near copy",
    Reason.MORE_THAN_MOST: "more than are kept of a problem",
    Reason.CONTAMINATED: "contaminated problem",
    Reason.OTHER_PROMPTS: "recorded prompts are others",
    Reason.OTHER_PROGRAM: "the joined reply holds another program",
    Reason.OTHER_END: "it would end at another turn",
    Reason.NO_UNICODE: "a reply holds half a character",
    Reason.TOO_LONG: "too long",
}
# arXiv 2410.08105, section 4 and appendix: what the paper reports of its own data.
PUBLISHED = (
    ("problems of the training set", "13,328"),
    ("problems asked, 200 dialogues each", "7,238"),
    ("contaminated problems dropped", "288"),
    ("single-turn dialogues kept", "177,475 (143 M tokens)"),
    ("multi-turn dialogues kept", "160,600 (285 M tokens)"),
)


def write_page(folder: Path, report: DataReport, style: str) -> None:
    """Write report.html, whole or not at all."""
    write_atomically(folder / PAGE, render_page(report, style))


def render_page(report: DataReport, style: str) -> str:
    """Return the page on ``report`` with the style sheet ``style``."""
    style = style + _asset("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_asset("report.html.j2"))
    page = template.render(
        report=report,
        style=Markup(style),  # our own files; nothing of a run is in them
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        steps=list(_steps(report)),
        facts=list(_facts(report)),
        settings=list(_settings(report)),
        published=list(zip(PUBLISHED, _ours(report), strict=True)),
        pairs=_pairs(report),
    )
    return encodable(page)


def _asset(name: str) -> str:
    return (resources.files("turnwise.training.data") / "assets" / name).read_text(encoding="utf-8")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _steps(report: DataReport) -> Iterator[Mapping[str, object]]:
    """Yield each step with the counts of both kinds, before and after it."""
    before: dict[str, StepCount | None] = dict.fromkeys(KINDS)
    for step in report.steps:
        kinds = []
        for kind in KINDS:
            count: StepCount = getattr(step, kind)
            earlier = before[kind]
            kinds.append(
                {
                    "name": f"{kind}-turn",
                    "rows": [
                        (
                            what,
                            "" if earlier is None else _number(getattr(earlier, what)),
                            _number(getattr(count, what)),
                        )
                        for what in ("problems", "dialogues", "tokens")
                        if getattr(count, what) is not None or getattr(earlier, what, None) is not None
                    ],
                    "dropped": [
                        (_REASONS.get(Reason(name), name), f"{number:,}")
                        for name, number in sorted(count.dropped.items(), key=lambda item: (-item[1], item[0]))
                    ],
                }
            )
            before[kind] = count
        yield {"name": step.name, "about": _STEPS[Step(step.name)], "kinds": kinds}


def _facts(report: DataReport) -> Iterator[tuple[str, str]]:
    last = report.steps[-1]
    kinds = [kind for kind in KINDS if report.settings.turns in (kind, "all")]
    dialogues = sum(getattr(last, kind).dialogues for kind in kinds)
    yield f"{dialogues:,}", "dialogues written"
    for kind in kinds:
        yield f"{getattr(last, kind).problems:,}", f"problems, {kind}-turn"
    for file in report.files.values():
        if file.tokens:
            yield f"{file.tokens:,}", "tokens"
            yield f"{file.labels:,}", "of them learnt"


def _ours(report: DataReport) -> Iterator[str]:
    """Yield what this data has beside the published numbers."""
    first, last = report.steps[0], report.steps[-1]
    yield ", ".join(f"{number:,} ({task})" for task, number in report.loaded.items())
    yield f"{report.asked:,}, {first.single.dialogues + first.multi.dialogues:,} dialogues"
    yield "not looked for" if report.contamination is None else f"{len(report.contaminated):,}"
    for count in (last.single, last.multi):
        yield f"{count.dialogues:,}" + (f" ({count.tokens:,} tokens)" if count.tokens is not None else "")


def _pairs(report: DataReport) -> list[tuple[str, list[Pair]]]:
    """Return the pairs of a problem and a test problem that are alike: those it is dropped for, and others."""
    pairs = () if report.contamination is None else report.contamination.pairs
    dropped = [pair for pair in pairs if pair.reason is not Alike.NEAR]
    return [("Dropped", dropped), ("Near, and no more is known", [pair for pair in pairs if pair.reason is Alike.NEAR])]


def _settings(report: DataReport) -> Iterator[tuple[str, str]]:
    settings = report.settings
    yield "turns", {"all": "single-turn and multi-turn", MULTI: "multi-turn"}.get(settings.turns, "single-turn")
    yield "learnt", "all replies" if settings.learn == "all" else "the last reply"
    yield "longest row", f"{settings.max_length:,} tokens"
    yield "near copies", f"from a Jaccard index of {settings.similarity:g} on; {settings.most} kept of a problem"
    against = ", ".join(settings.against) or "not looked for"
    yield "contamination", f"{against}" + (f"; {settings.containment:g} of word 8-grams" if settings.against else "")
    if settings.embed:
        yield "embeddings", settings.embed
    if report.tokenizer is not None:
        yield "tokenizer", f"{report.tokenizer.name}, sha256 {report.tokenizer.sha256}"
    for task, digest in report.tasks.items():
        yield "data", f"{task}, sha256 {digest}"
    judge = report.judge
    yield (
        "judge",
        f"{judge.executor}, {judge.interpreter}, {judge.matcher}, answers {judge.answers}, tests {judge.tests}",
    )
    yield "prompts", report.prompts.set
    for run in report.runs:
        named = ("record", run.record_sha256), ("shards", run.shards_sha256), ("verdicts", run.verdicts_sha256)
        yield "run", ", ".join([run.name, run.model.get("model", ""), *(f"{what} {sha[:16]}" for what, sha in named)])
    for name, file in report.files.items():
        yield "file", f"{name}, {file.rows:,} rows, sha256 {file.sha256}"
    yield "turnwise", report.turnwise
    yield "command", report.command
