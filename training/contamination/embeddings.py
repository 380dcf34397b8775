"""Statements that are near by the embeddings of a model: means over tokens, of length 1 (as in arXiv 2410.08105).

The model is one of the hub or a folder, run by transformers in this process; one text at a time, so that what stands
beside it changes nothing. A text longer than the model reads is cut.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.texts import encodable

_MOST_TOKENS = 8192
_BLOCK = 1024  # texts compared at a time


class Embedder:
    """A model that is loaded once; raises MissingExtraError without transformers, TurnwiseError if it has none."""

    def __init__(self, name: str) -> None:
        try:
            import torch
            import transformers
        except ImportError:
            raise MissingExtraError("--embed", "transformers", "train") from None
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(name)
            self._model: Any = transformers.AutoModel.from_pretrained(name).eval()
        except Exception as error:  # as of any tokenizer and model that somebody else made
            if isinstance(error, MemoryError):
                raise
            reason = " ".join(str(error).split())[:300]
            raise TurnwiseError(f"The model {name!r} of --embed cannot be loaded ({reason}): name another.") from None
        self._torch = torch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model.to(self._device)
        places = getattr(self._model.config, "max_position_embeddings", None) or _MOST_TOKENS
        self._most = min(_MOST_TOKENS, int(places), int(self._tokenizer.model_max_length))

    def embed(self, texts: Sequence[str], on_progress: Callable[[int, int], None]) -> NDArray[np.float32]:
        """Return the embeddings [texts, size], of length 1; that of a text without a token is 0."""
        size = self._model.config.hidden_size
        vectors = np.zeros((len(texts), size), dtype=np.float32)
        for number, text in enumerate(texts):
            ids = self._tokenizer(encodable(text), truncation=True, max_length=self._most, return_tensors="pt")[
                "input_ids"
            ]
            if ids.shape[1]:
                with self._torch.no_grad():
                    states = self._model(input_ids=ids.to(self._device)).last_hidden_state
                mean = states[0].float().mean(dim=0)
                vectors[number] = (mean / mean.norm().clamp(min=1e-12)).cpu().numpy()
            on_progress(number + 1, len(texts))
        return vectors


def near_by_embedding(
    vectors: NDArray[np.float32], others: NDArray[np.float32], *, least: float
) -> dict[tuple[int, int], float]:
    """Return the cosines of ``least`` or more by the numbers of a vector and another."""
    found = {}
    for start in range(0, len(vectors), _BLOCK):
        cosines = vectors[start : start + _BLOCK] @ others.T
        for vector, other in np.argwhere(cosines >= least).tolist():
            found[start + vector, other] = float(cosines[vector, other])
    return found
