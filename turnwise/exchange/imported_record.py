"""The run.json of an imported run: where it came from, and its own settings as far as the files hold them.

What is not known is said to be unknown, and the profile of another tool's answers is ``imported``. Reads no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import turnwise
from turnwise.benchmarks.rows import digest_of
from turnwise.exchange.contents import Contents
from turnwise.records.run_folder import RunRecord, TaskRecord, checked
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings, Sampling
from turnwise.texts import printable

IMPORTED_PROFILE = "imported"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says of the files: their format, tasks and model ("" where they say it), where the data are."""

    format: str
    tasks: str = ""
    model: str = ""
    data_dir: Path | None = None
    allow_missing: bool = False


def known_settings(contents: Contents) -> RunSettings:
    """Return the settings that decide which problems and turns there are, as far as the files hold them."""
    if contents.header is None:
        return RunSettings(profile=IMPORTED_PROFILE, sampling=Sampling(temperature=contents.temperature))
    known = contents.header.settings
    return RunSettings(
        samples_per_problem=known.samples_per_problem,
        max_turns=known.max_turns,
        limit=known.limit,
        samples=known.samples,
        n_at_k=known.n_at_k,
        on_error=known.on_error,
    )


def make_record(
    contents: Contents,
    options: Options,
    settings: RunSettings,
    tasks: Sequence[TaskRecord],
    *,
    files: Sequence[Path],
    command: str,
) -> RunRecord:
    """Return run.json of a run with ``tasks``; ``settings`` stand in it where the files hold no settings."""
    header = contents.header
    model = dict(header.model) if header is not None else {}
    model["model"] = printable(options.model or contents.model, limit=200)
    model["imported_from"] = options.format
    model["files"] = ", ".join(printable(one.name, limit=200) for one in files)
    model["sha256"] = ", ".join(map(digest_of, files))
    own, judge, prompts = settings, JudgeRecord(contents.judge, "", "", 1.0), PromptsRecord(UNKNOWN, {})
    if header is not None:
        own, judge, prompts = header.settings, header.judge, header.prompts
    return checked(RunRecord(turnwise.__version__, model, own, judge, prompts, tuple(tasks), command), "The import")
