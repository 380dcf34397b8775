"""The model back ends by name, as ``--model`` takes them."""

from turnwise.commands.back_end import BackEnd, Wanted
from turnwise.commands.local_back_ends import HF, VLLM
from turnwise.commands.openai_back_end import OPENAI, describe_served
from turnwise.commands.replay_back_end import REPLAY
from turnwise.errors import TurnwiseError
from turnwise.runners.sampler import Model, ScriptedSampler

MODELS: dict[str, BackEnd] = {"openai": OPENAI, "vllm": VLLM, "hf": HF, "replay": REPLAY}


def find_back_end(name: str) -> BackEnd:
    """Return the back end of this name; raises TurnwiseError if there is none."""
    if name not in MODELS:
        raise TurnwiseError(f"Unknown model {name!r}: choose one of {', '.join(MODELS)}.")
    return MODELS[name]


def describe_model(back_end: BackEnd, wanted: Wanted, *, served_in_job: bool = False) -> Model | None:
    """Return a model that is only what run.json will say of one that is not open here; None for those that can be.

    Those are engines in the job's process, and (``served_in_job``) servers that the job starts. Raises
    TurnwiseError where only the model itself could tell.
    """
    describe = describe_served if served_in_job else back_end.describe
    if describe is None:
        return None
    model = ScriptedSampler({})
    model.description = describe(wanted)
    return model


def models_to_fetch(back_end: BackEnd, wanted: Wanted) -> list[tuple[str, str | None]]:
    """Return the models and tokenizers of the hub, each with its revision, that an engine in the job would load."""
    if not back_end.in_process:
        return []
    given = wanted.pairs
    revision = given.get("revision") or None
    names = (given.get("model") or given.get("pretrained"), given.get("tokenizer"))
    return [(name, revision) for name in names if name]
