"""The tokenizer of the model to train: opened by its name, told by a digest, and refused if it loses text.

A reply is learnt as token ids. So a tokenizer that does not give a program back as it was (indentation, tabs, other
alphabets) would teach another program than the one that solved the problem.
"""

import hashlib
import json
from typing import Any

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.training import TokenizerRecord

_PROBE = "```python\ndef f(a):\n\tif a <= 0:\n        return 'é ≤ 中 🎈'\n\n\n    return [a*2,  a]  # don't ,\n```\n"


def open_tokenizer(name: str, *, revision: str = "", trust_remote_code: bool = False) -> Any:
    """Return the tokenizer of a model of the hub or a folder.

    Raises TurnwiseError if there is none, it has no chat template, or it does not give text back as it was, and
    MissingExtraError without transformers.
    """
    try:
        import transformers
    except ImportError:
        raise MissingExtraError("Making token ids", "transformers", "train") from None
    loading: dict[str, object] = {"revision": revision} if revision else {}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name, trust_remote_code=trust_remote_code, **loading)
    except Exception as error:  # tokenizers raises just that, and transformers whatever a damaged file leads to
        if isinstance(error, MemoryError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise TurnwiseError(f"The tokenizer {name!r} cannot be loaded ({reason}): name another model.") from None
    if not getattr(tokenizer, "chat_template", None):
        raise TurnwiseError(f"The tokenizer {name!r} has no chat template: name a model that follows instructions.")
    check_round_trip(tokenizer, _PROBE)
    return tokenizer


def check_round_trip(tokenizer: Any, text: str) -> None:
    """Raise TurnwiseError unless the tokenizer gives ``text`` back as it was."""
    token_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    back = tokenizer.decode(token_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if back != text:
        at = next((at for at, (a, b) in enumerate(zip(text, back, strict=False)) if a != b), min(len(text), len(back)))
        raise TurnwiseError(
            f"The tokenizer {tokenizer.name_or_path!r} does not give text back as it was ({text[at : at + 20]!r} "
            f"became {back[at : at + 20]!r}), so a model would learn other programs: name another model."
        )


def tokenizer_record(tokenizer: Any, name: str) -> TokenizerRecord:
    """Return what tells this tokenizer from others: all that decides the ids of a dialogue."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    vocabulary = json.loads(backend.to_str()) if backend is not None else tokenizer.get_vocab()
    if isinstance(vocabulary, dict):  # set by whoever encoded last
        vocabulary = {key: value for key, value in vocabulary.items() if key not in ("padding", "truncation")}
    parts = [vocabulary, str(tokenizer.chat_template), {k: str(v) for k, v in tokenizer.special_tokens_map.items()}]
    data = json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()
    return TokenizerRecord(name, hashlib.sha256(data).hexdigest())
