"""What lm_eval's results say of a run of ours: settings, judge, prompts, problems; enough to read the run back."""

from collections.abc import Mapping
from typing import Any

import turnwise
from turnwise.leaderboard.exchange.lm_eval_header import TaskHeader
from turnwise.records.codec import to_json
from turnwise.records.report import Environment
from turnwise.runners.loading import LoadedTask
from turnwise.runners.settings import RunSettings
from turnwise.tasks.prompts import PromptSet


def header_of(
    loaded: LoadedTask,
    settings: RunSettings,
    environment: Environment,
    prompts: PromptSet,
    generation: Mapping[str, Any],
    **also: Any,
) -> dict[str, Any]:
    """Return run.json's parts for one task (``loaded.asked``: what all ranks were asked); ``also`` joins the settings.

    ``generation`` is how the model was told to sample, in lm_eval's names.
    """
    judge = to_json(environment)
    del judge["tier"]
    sampling = {
        "temperature": generation.get("temperature"),
        "top_p": generation.get("top_p"),
        "top_k": generation.get("top_k"),
        "max_tokens": generation.get("max_gen_toks"),
        "stop": generation.get("until"),
    }
    others = {name: value for name, value in generation.items() if name not in (*sampling, "max_gen_toks", "until")}
    data = {
        "turnwise": turnwise.__version__,
        "settings": {**settings.to_json(), **also, "sampling": {**sampling, **others}},
        "judge": {**judge, **settings.judge_json()},
        "prompts": {"set": prompts.name, "hashes": dict(prompts.hashes)},
        "task": loaded.to_record(settings).model_dump(mode="json"),
    }
    return TaskHeader.model_validate(data).model_dump(mode="json")
