"""How long a text is: in tokens of a tokenizer, or in characters where none is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.runners.models.chat import sendable


def load_counter(tokenizer: str = "") -> tuple[Callable[[str], int], str]:
    """Return what counts a text, and the unit it counts in.

    ``tokenizer`` is a name on the hub, a folder of one, or a tokenizer.json. Raises MissingExtraError without the
    package that reads it, TurnwiseError if it cannot be loaded.
    """
    if not tokenizer:
        return len, "characters"
    path = Path(tokenizer)
    file = path / "tokenizer.json" if path.is_dir() else path
    encode = _from_file(file) if file.is_file() and file.suffix == ".json" else _from_hub(tokenizer)
    return lambda text: len(encode(sendable(text))), "tokens"


def _from_file(path: Path) -> Callable[[str], Any]:
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise MissingExtraError("Counting tokens", "tokenizers", "hf") from None
    try:
        loaded = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises Exception itself
        raise TurnwiseError(f"The tokenizer {str(path)!r} cannot be read: {error}.") from None
    return lambda text: loaded.encode(text, add_special_tokens=False).ids


def _from_hub(name: str) -> Callable[[str], Any]:
    try:
        from transformers import AutoTokenizer
    except ImportError:
        raise MissingExtraError("Counting tokens", "transformers", "hf") from None
    try:
        loaded = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TurnwiseError(f"The tokenizer {name!r} cannot be loaded: {reason}") from None
    return lambda text: loaded.encode(text, add_special_tokens=False)
