"""What lm_eval's results say of a run of ours: settings, judge, prompts, problems; enough to read the run back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import turnwise
from turnwise.exchange.lm_eval import TaskHeader
from turnwise.records.codec import to_json
from turnwise.records.report import Environment
from turnwise.records.settings import GEN_KWARGS, JudgeSettings, PromptsRecord, RunSettings, Sampling
from turnwise.runners.judging.judge import judge_record
from turnwise.runners.loading import LoadedTask
from turnwise.tasks.prompts import PromptSet

# lm_eval's names of ours.
LM_EVAL_NAMES = {option.setting: name for name, option in GEN_KWARGS.items()}


def header_of(
    loaded: LoadedTask,
    settings: RunSettings,
    environment: Environment,
    judge: JudgeSettings,
    prompts: PromptSet,
    generation: Mapping[str, Any],
) -> dict[str, Any]:
    """Return run.json's parts for one task (``loaded.asked``: what all ranks were asked).

    ``generation`` is how the model was told to sample, in lm_eval's names.
    """
    others = {name: value for name, value in generation.items() if name not in LM_EVAL_NAMES.values()}
    told = {name: generation.get(of_lm_eval) for name, of_lm_eval in LM_EVAL_NAMES.items()}
    stop = told.pop("stop") or ()
    sampling = Sampling(**told, stop=(stop,) if isinstance(stop, str) else tuple(stop), others=others)
    header = TaskHeader(
        turnwise.__version__,
        replace(settings, sampling=sampling),
        judge_record(environment, judge),
        PromptsRecord(prompts.name, dict(prompts.hashes)),
        loaded.to_record(settings),
    )
    data: dict[str, Any] = to_json(header)
    return data
