"""The model back ends by name, as ``--model`` takes them."""

from dataclasses import replace
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import GEN_KWARGS, Sampling
from turnwise.records.training import recorded_training
from turnwise.runners.models.back_end import BackEnd, Wanted
from turnwise.runners.models.hf import HF
from turnwise.runners.models.openai.back_end import OPENAI, describe_served
from turnwise.runners.models.replay import REPLAY
from turnwise.runners.models.sampler import Model, ScriptedSampler
from turnwise.runners.models.vllm import VLLM

MODELS: dict[str, BackEnd] = {
    BackEndName.OPENAI: OPENAI,
    BackEndName.VLLM: VLLM,
    BackEndName.HF: HF,
    BackEndName.REPLAY: REPLAY,
}


def find_back_end(name: str | None) -> BackEnd:
    """Return the back end of this name; raises TurnwiseError if there is none."""
    if name is None or name not in MODELS:
        raise TurnwiseError(f"Unknown model {name!r}: choose one of {', '.join(MODELS)}.")
    return MODELS[name]


def check_sampling(name: str | None, sampling: Sampling) -> None:
    """Raise TurnwiseError for a field of ``sampling`` that is set and that the back end of this name cannot follow."""
    followed, told = find_back_end(name).samples_by, sampling.told()
    for option, one in GEN_KWARGS.items():
        if followed is not None and one.setting in told and one.setting not in followed:
            raise TurnwiseError(
                f"--gen_kwargs {option} is {told[one.setting]}, and --model {name} does not sample by it: leave it "
                "out, or choose another model."
            )


def describe_model(back_end: BackEnd, wanted: Wanted, *, served_in_job: bool = False) -> Model | None:
    """Return a model that is only what run.json will say of one that is not open here; None for those that can be.

    Those are engines in the job's process, and (``served_in_job``) servers that the job starts. Raises
    TurnwiseError where only the model itself could tell.
    """
    if served_in_job:
        return _closed(describe_served(wanted))
    return _closed(back_end.describe(wanted)) if back_end.in_process and back_end.describe else None


def recorded_model(back_end: BackEnd, wanted: Wanted, folder: Path) -> Model | None:
    """Return the model of the run in ``folder``, closed, if it is the one that is wanted; else None."""
    if back_end.describe is None or not (folder / "run.json").is_file():
        return None
    recorded = RunFolder(folder).record.model
    try:
        description = back_end.describe(replace(wanted, recorded=recorded))
    except (TurnwiseError, ValueError):
        return None  # opening it says what is wrong
    if not Path(recorded.get("model", "")).exists():  # a folder that is gone tells nothing of its training any more
        description = {**description, **recorded_training(recorded)}
    return _closed(description) if description == recorded else None


def _closed(description: dict[str, str]) -> Model:
    model = ScriptedSampler({})
    model.description = description
    return model


def models_to_fetch(back_end: BackEnd, wanted: Wanted) -> list[tuple[str, str | None]]:
    """Return the models and tokenizers of the hub, each with its revision, that an engine in the job would load."""
    if not back_end.in_process:
        return []
    given = wanted.pairs
    revision = given.get("revision") or None
    names = (given.get("model") or given.get("pretrained"), given.get("tokenizer"))
    return [(name, revision) for name in names if name]
