"""What lm-eval's results file says of a task of ours, under ``configs.<task>.metadata.turnwise``.

Our tasks in lm_eval write it and so does exporting; with the dialogues of the samples file it is a whole run,
the problems asked and left out included, so that no data are needed to read it back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from turnwise.benchmarks.differences import differences
from turnwise.errors import TurnwiseError
from turnwise.exchange.contents import RunHeader, read_header
from turnwise.records.codec import to_json
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings

KEY = "turnwise"


@dataclass(frozen=True, slots=True)
class TaskHeader:
    """The settings, judge and prompts of a run, and what one task of it asked.

    lm_eval says itself which ``model`` it was; of an exported run it stands here.
    """

    turnwise: str
    settings: RunSettings
    judge: JudgeRecord
    prompts: PromptsRecord
    task: TaskRecord
    model: Mapping[str, str] = field(default_factory=dict)


def read_task_header(metadata: Any, origin: str) -> TaskHeader:
    """Return the header in a task's metadata; raises TurnwiseError where there is none, or a damaged one."""
    data = metadata.get(KEY) if isinstance(metadata, dict) else None
    return read_header(TaskHeader, data, origin)


def join_headers(headers: Iterable[TaskHeader], model: dict[str, str], origin: str) -> RunHeader:
    """Return the header of the run that all ``headers`` are of; which problems each asked is put together.

    Raises TurnwiseError if they differ: then they are of several runs.
    """
    joined: RunHeader | None = None
    for one in headers:
        header = RunHeader(model=one.model or model, settings=one.settings, judge=one.judge, prompts=one.prompts)
        if joined is None:
            joined = header
            continue
        samples = {**joined.settings.samples, **header.settings.samples}
        joined, header = (replace(each, settings=replace(each.settings, samples=samples)) for each in (joined, header))
        if joined != header:
            first = next(differences(to_json(joined), to_json(header)))
            there, here = first.values()
            raise TurnwiseError(
                f"{origin} holds tasks that were run in different ways ({one.task.task}: {first.place} is {here}, and "
                f"{there} before): import each on its own."
            )
    if joined is None:
        raise TurnwiseError(f"{origin} says nothing of a run of turnwise: export it again.")
    return joined
