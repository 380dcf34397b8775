"""Settings built from options as a command does, and what is said of options that cannot be."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from turnwise.commands.settings import build_settings
from turnwise.errors import TurnwiseError
from turnwise.records.settings import RunConfig, RunSettings
from turnwise.tasks.catalog import find_tasks

MULTI, SINGLE = "codecontests_multiturn", "codecontests_singleturn"


def build(**options: Any) -> RunSettings:
    """Return the settings of the dialogues that these options make."""
    return build_config(**options).settings


def build_config(
    *,
    profile: str = "default",
    metadata: str | Mapping[str, Any] = "",
    gen_kwargs: str = "",
    samples: str | Mapping[str, Any] = "",
    tasks: str = MULTI,
    given: Mapping[str, Any] | None = None,
) -> RunConfig:
    """Return all settings of these options; what is JSON may be given as data."""
    return build_settings(
        profile=profile,
        metadata=metadata if isinstance(metadata, str) else json.dumps(metadata),
        gen_kwargs=gen_kwargs,
        samples=samples if isinstance(samples, str) else json.dumps(samples),
        tasks=find_tasks(tasks),
        given=given or {},
    )


def error_of(build: Callable[[], object]) -> str:
    """Return the message of the TurnwiseError that ``build`` raises, which is one sentence on one line."""
    with pytest.raises(TurnwiseError) as caught:
        build()
    message = str(caught.value)
    assert re.fullmatch(r"[^\n]+[^.\n]\.", message)
    return message
