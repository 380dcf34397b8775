"""Replies kept in the database of --use_cache, under keys of our own, so that a run goes on inside a dialogue.

lm_eval's own keys hold neither the model's name nor the sample, and it keeps no sampled reply at all. Ours are
a hash of all that decides a reply: model, task, problem, sample, turn, call, the prompt and the way of sampling.
A reply is in the file before it is used.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from turnwise.runners.sampler import Request

_NAMED_BY = ("model", "pretrained", "revision", "peft", "delta", "model_args")


class KeptReplies:
    """The replies in ``database`` (a mapping that may have ``commit``), or none where there is no database."""

    def __init__(self, database: Any, model: str) -> None:
        self._database = database
        self._model = model

    def key(self, request: Request, prompt: str, generation: Mapping[str, Any]) -> str:
        """Return the key of one call."""
        place = [request.task, request.problem, request.sample, request.turn, request.call]
        parts = json.dumps([self._model, place, prompt, generation], sort_keys=True, default=str)
        return f"turnwise:{hashlib.sha256(parts.encode()).hexdigest()}"

    def get(self, key: str) -> str | None:
        """Return the reply kept under ``key``, None if there is none."""
        if self._database is None:
            return None
        reply = self._database.get(key)
        return reply if isinstance(reply, str) else None

    def put(self, key: str, reply: str) -> None:
        """Keep ``reply``; it survives the end of this process."""
        if self._database is None:
            return
        self._database[key] = reply
        if hasattr(self._database, "commit"):
            self._database.commit(blocking=True)


def name_of(model: Any) -> str:
    """Return what tells one model of lm_eval from another: its class and what it was loaded from, not where it runs."""
    parts = [type(model).__qualname__]
    for name in _NAMED_BY:
        value = getattr(model, name, None)
        if isinstance(value, str | int | float):
            parts.append(f"{name}={value}")
        elif isinstance(value, dict):
            parts.append(f"{name}={json.dumps(value, sort_keys=True, default=str)}")
    return " ".join(parts)
