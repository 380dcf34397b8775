"""Fetching a model before jobs are submitted, so that a thousand workers do not ask the hub at once, or in vain."""

import sys
from pathlib import Path

from turnwise.errors import TurnwiseError


def fetch_model(name: str, revision: str | None) -> None:
    """Bring the files of a model or tokenizer into the hub's cache; a folder is left as it is.

    Raises TurnwiseError if they can neither be fetched nor are there.
    """
    if Path(name).exists():
        return
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
    except ImportError:
        print(f"{name} is not fetched here, since huggingface_hub is not installed.", file=sys.stderr, flush=True)
        return
    try:
        snapshot_download(name, revision=revision)
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TurnwiseError(
            f"The model {name!r} can neither be fetched nor is it in the hub's cache ({reason}): mend -a model=, or "
            "fetch it on a machine that reaches the hub (HF_HOME says where to)."
        ) from None
