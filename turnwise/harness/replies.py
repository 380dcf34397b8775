"""Replies kept in the database of --use_cache, under keys of our own, so that a run goes on inside a dialogue.

lm_eval's own keys hold neither the model's name nor the sample, and it keeps no sampled reply at all. Ours are
a hash of all that decides a reply: model, task, problem, sample, turn, call, the prompt and the way of sampling.
A reply is in the file before it is used.
"""

import glob
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from turnwise.runners.models.sampler import Request

_NAMED_BY = ("model", "pretrained", "revision", "peft", "delta", "model_args")


class KeptReplies:
    """The replies in ``database``, a mapping that may have ``commit``; none are kept where there is no database.

    ``others`` are those of other ranks, which are only read.
    """

    def __init__(self, database: Any, model: str, others: Sequence[Any] = ()) -> None:
        self._database = database
        self._model = model
        self._others = others

    @property
    def is_kept(self) -> bool:
        """Whether there is a database, so that another attempt goes on where this one stops."""
        return self._database is not None

    def key(self, request: Request, prompt: str, generation: Mapping[str, object]) -> str:
        """Return the key of one call."""
        place = [request.task, request.problem, request.sample, request.turn, request.call]
        parts = json.dumps([self._model, place, prompt, generation], sort_keys=True, default=str)
        return f"turnwise:{hashlib.sha256(parts.encode()).hexdigest()}"

    def get(self, key: str) -> str | None:
        """Return the reply kept under ``key``, None if there is none."""
        if self._database is None:
            return None
        for database in (self._database, *self._others):
            try:
                reply = database.get(key)
            except Exception:
                if database is self._database:
                    raise
                continue  # another rank is writing it
            if isinstance(reply, str):
                return reply
        return None

    def put(self, key: str, reply: str) -> None:
        """Keep ``reply``; it survives the end of this process."""
        if self._database is None:
            return
        self._database[key] = reply
        if hasattr(self._database, "commit"):
            self._database.commit(blocking=True)


@contextmanager
def open_replies(model: object) -> Iterator[KeptReplies]:
    """Yield the replies kept for a model of lm_eval: in its database, and in those of other ranks beside it.

    A run may so go on with another number of ranks, which share the problems out in another way.
    """
    database: Any = getattr(getattr(model, "cache_hook", None), "dbdict", None)
    with ExitStack() as stack:
        others = []
        for path in _other_ranks(getattr(database, "filename", "")):
            with suppress(Exception):  # begun a moment ago, or no database
                others.append(stack.enter_context(closing(type(database)(str(path), flag="r"))))
        yield KeptReplies(database, name_of(model), others)


def _other_ranks(filename: str) -> list[Path]:
    match = re.fullmatch(r"(.*)_rank\d+\.db", filename, re.DOTALL)
    if match is None:
        return []
    path = Path(match[1])
    beside = path.parent.glob(f"{glob.escape(path.name)}_rank*.db")
    return sorted(one for one in beside if re.search(r"_rank\d+\.db$", one.name) and one != Path(filename))


def name_of(model: object) -> str:
    """Return what tells one model of lm_eval from another: its class and what it was loaded from, not where it runs."""
    parts = [type(model).__qualname__]
    for name in _NAMED_BY:
        value = getattr(model, name, None)
        if isinstance(value, str | int | float):
            parts.append(f"{name}={value}")
        elif isinstance(value, dict):
            parts.append(f"{name}={json.dumps(value, sort_keys=True, default=str)}")
    return " ".join(parts)
