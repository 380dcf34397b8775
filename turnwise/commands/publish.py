"""``turnwise publish``: one page made of runs, without a model and without running a program."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turnwise.commands.machine import check_output, show_progress
from turnwise.errors import TurnwiseError
from turnwise.exchange.runs import read_runs, runs_at
from turnwise.leaderboard.audits import fits, read_audits
from turnwise.leaderboard.charts.files import vega_script
from turnwise.leaderboard.page.dialogues import DialogueReader
from turnwise.leaderboard.page.site import DEFAULT_TITLE, SiteOptions, write_site
from turnwise.leaderboard.page.table import read_facts
from turnwise.leaderboard.report import score_runs
from turnwise.leaderboard.tables import ScoredTask, run_names, without_training
from turnwise.records.audit import Audit
from turnwise.runners.judging.expected import default_cache_dir
from turnwise.texts import shown

_NAMED = 3  # tasks with gaps, in a refusal


def publish_command(paths: Sequence[Path], output: Path, *, environ: dict[str, str], **options: Any) -> str:
    """Write the page as ``write_page`` does and say where it is and how large."""
    page = write_page(paths, output, environ=environ, **options)
    beside = sum(path.stat().st_size for path in (output / "data").glob("*.js"))
    files = f", dialogues beside it in data/: {beside / 1e6:.1f} MB" if beside else ""
    return f"Page: {page} ({page.stat().st_size / 1e6:.1f} MB{files})"


def write_page(
    paths: Sequence[Path],
    output: Path,
    *,
    environ: dict[str, str],
    n_at_k: str = "",
    title: str = "",
    facts: Path | None = None,
    with_dialogues: bool = True,
    allow_missing: bool = False,
    audits: Sequence[Path] = (),
) -> Path:
    """Write the page on the runs at ``paths`` (run folders, or folders of them) into ``output``; return its path.

    Of the ``audits`` (files, or folders of them) it shows those of its tasks and judges.

    Runs of training tasks are left out, and named.

    Raises TurnwiseError where no others are there, for a damaged run or audit, an n@k that the samples cannot support,
    missing dialogues, unless they are allowed, and audits of which none is of the page's tasks and judges.
    """
    check_output(output)
    read = read_audits(audits)
    known = read_facts(facts) if facts is not None else {}
    runs = list(dict.fromkeys(runs_at(paths).runs))
    with show_progress() as on_progress:
        reader = DialogueReader(pack=with_dialogues)
        outcomes = read_runs(runs, witness=reader, on_progress=on_progress)
        scored, left_out = without_training(
            score_runs(outcomes, n_at_k=[name for name in n_at_k.split(",") if name.strip()])
        )
        if left_out:
            print(f"turnwise: runs on training problems are on no board: left out {left_out}.", file=sys.stderr)
        if not allow_missing:
            _check_complete(scored)
        fitting = _fitting(read, scored)
        vega = vega_script(default_cache_dir(environ))
        options = SiteOptions(vega, title or DEFAULT_TITLE, known, fitting)
        return write_site(output, scored, reader, options, on_progress)


def _fitting(audits: Sequence[Audit], scored: Sequence[ScoredTask]) -> tuple[Audit, ...]:
    """Return the audits of the scored tasks and their judges; says how many are left out."""
    fitting = tuple(audit for audit in audits if fits(audit, scored))
    if audits and not fitting:
        judge = audits[0].judge
        settings = f"matcher {shown(judge.matcher)}, answers {shown(judge.answers)}, tests {shown(judge.tests)}"
        raise TurnwiseError(
            f"No audit is of the data and the judge of one of these runs (that of {shown(audits[0].task)} has "
            f"{settings}): make one with the data and the judge settings of a run, or leave out --audit."
        )
    if len(fitting) < len(audits):
        left_out = f"{len(audits) - len(fitting)} of {len(audits)} audits"
        print(f"turnwise: {left_out} are of other data or another judge than these runs: left out.", file=sys.stderr)
    return fitting


def _check_complete(scored: Sequence[ScoredTask]) -> None:
    names = run_names(scored)
    missing = [
        f"{names[one.run.path]}, {one.outcomes.record.task}, lacks {one.outcomes.missing} of {one.outcomes.dialogues}"
        for one in scored
        if one.outcomes.missing
    ]
    if missing:
        more = f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise TurnwiseError(
            f"Not every dialogue is known ({'; '.join(missing[:_NAMED])}{more}): turnwise score RUN says why and what "
            "to do, or publish what is known, with its bounds, by --allow-missing."
        )
