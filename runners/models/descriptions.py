"""What run.json says of a model; also where it is not loaded, as when a run is frozen for a cluster."""

from collections.abc import Mapping


def describe_openai(model: str, *, system_role: bool, first_turns: int = 1, request: str = "") -> dict[str, str]:
    """Return the description of a model at a server; what is not named is usual.

    That is: it takes system messages, every first turn is asked by a request of its own, and no field of a
    ``request`` is changed.
    """
    found = {"back_end": "openai", "model": model}
    if first_turns > 1:
        found["first_turns"] = str(first_turns)
    if request:
        found["request"] = request
    return found if system_role else {**found, "system_role": "user"}


def describe_hf(model: str, max_length: int, *, revision: str) -> dict[str, str]:
    """Return the description of a model that transformers loads; the revision main is not named."""
    found = {"back_end": "hf", "model": model, "max_length": str(max_length)}
    return found if revision == "main" else {**found, "revision": revision}


def describe_vllm(model: str, max_length: int, *, revision: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the description of a model that vLLM loads."""
    found = {"back_end": "vllm", "model": model, "max_model_len": str(max_length)}
    if revision:
        found["revision"] = revision
    if environ.get("VLLM_BATCH_INVARIANT"):
        found["batch_invariant"] = environ["VLLM_BATCH_INVARIANT"]
    return found
