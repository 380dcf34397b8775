"""The options of --metadata, as lm_eval hands them to a task: mixed with model arguments, checked before any work."""

import difflib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from turnwise.benchmarks.mappings import read_mapping
from turnwise.commands.settings import build_settings
from turnwise.errors import TurnwiseError
from turnwise.records.settings import METADATA, JudgeSettings, RunSettings
from turnwise.runners.machines import check_data_dir
from turnwise.tasks.catalog import Task
from turnwise.tasks.plan import turns_of

HOST_KEYS = ("data_dir", "workers")
KEYS = (*METADATA, *HOST_KEYS)
_OF_LM_EVAL = ("version", "config_source", "config", "_metadata")
_LIKENESS = 0.75


@dataclass(frozen=True, slots=True)
class Options:
    """What a task is asked to do, how it is judged, and where: local data, programs judged at a time (0: all cores).

    ``n_at_k`` are the pass n@k to report: those of the settings, or 1@N for a dialogue of N turns.
    """

    settings: RunSettings
    judge: JudgeSettings
    n_at_k: tuple[str, ...]
    data_dir: Path | None
    workers: int


def read_options(task: Task, metadata: Mapping[str, object], *, arguments: Sequence[str] | None = None) -> Options:
    """Return the options of ``task``; ``arguments`` are those of the command line, sys.argv by default.

    lm_eval puts the model's arguments among the metadata, so that a key nobody knows may be the model's: it is
    refused where the command line shows that it is not, and wherever it looks like one of ours. Raises
    TurnwiseError naming the first key or value that cannot be.
    """
    given = {name: value for name, value in metadata.items() if name not in _OF_LM_EVAL}
    typed = _typed_model_args(sys.argv if arguments is None else arguments)
    for name in given:
        if name not in KEYS and (_looks_like_ours(name) if typed is None else name not in typed):
            raise TurnwiseError(f"--metadata {name!r} is unknown: the keys are {', '.join(KEYS)}.")
    ours = {name: value for name, value in given.items() if name in METADATA}
    config = build_settings(
        profile="default", metadata=_as_json(ours), gen_kwargs="", samples="", tasks=[task], given={}
    )
    settings = config.settings
    n_at_k = settings.n_at_k or (f"1@{turns_of(settings, task)}",)
    return Options(settings, config.judge, n_at_k, _data_dir(given.get("data_dir")), _workers(given.get("workers", 0)))


def _as_json(data: Mapping[str, object]) -> str:
    try:
        return json.dumps(data)
    except (TypeError, ValueError):
        name = next((name for name, value in data.items() if not isinstance(value, str | int | float | list)), "")
        raise TurnwiseError(f"--metadata {name} is {data.get(name)!r}, which is no JSON value.") from None


def _data_dir(value: object) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, str | Path) or not str(value):
        raise TurnwiseError(f"--metadata data_dir is {value!r}: give the path of a folder.")
    check_data_dir(Path(value))
    return Path(value)


def _workers(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TurnwiseError(f"--metadata workers is {value!r}: give a whole number, or 0 for the usable cores.")
    return value


def _looks_like_ours(name: str) -> bool:
    return bool(difflib.get_close_matches(name, KEYS, n=1, cutoff=_LIKENESS))


def _typed_model_args(arguments: Sequence[str]) -> set[str] | None:
    """Return the names in --model_args of an lm_eval command, None where this is no such command."""
    program = Path(arguments[0]) if arguments else Path()
    if not (program.name in ("lm_eval", "lm-eval") or program.match("lm_eval/__main__.py")):
        return None
    texts: list[str] = []
    for option in ("model_args", "config"):
        values = _values_of(arguments, option)
        texts += _names_in_config(values) if option == "config" else values
    return {name for text in texts for name in _names_in(text)}


def _values_of(arguments: Sequence[str], option: str) -> list[str]:
    """Return the values of an option that takes several, given as --name value ..., --name=value or -a value."""
    whole, short = f"--{option}", {"model_args": "-a", "config": "-C"}[option]
    found: list[str] = []
    is_ours = False
    for argument in arguments[1:]:
        name, sign, value = argument.partition("=")
        as_written = name.replace("-", "_").replace("__", "--", 1)
        if name == short or (len(name) > len("--model_") - 1 and whole.startswith(as_written)):
            is_ours = True
            found += [value] if sign else []
        elif argument.startswith("-"):
            is_ours = False
        elif is_ours:
            found.append(argument)
    return found


def _names_in(text: str) -> set[str]:
    try:
        data = json.loads(text)
    except ValueError:
        return {part.partition("=")[0].strip() for part in re.split(r",", text)}
    return set(map(str, data)) if isinstance(data, dict) else set()


def _names_in_config(paths: Sequence[str]) -> list[str]:
    """Return the model arguments of lm_eval's yaml configurations, as JSON or as they are written there."""
    found = []
    for path in paths:
        try:
            data = read_mapping(Path(path), "The configuration", otherwise="holds no options", remedy="mend it")
        except TurnwiseError:
            continue  # lm_eval has read it; what it says then is its own
        arguments = data.get("model_args")
        if isinstance(arguments, dict):
            found.append(json.dumps(dict.fromkeys(map(str, arguments))))
        elif isinstance(arguments, str):
            found.append(arguments)
    return found
