"""What the models of lm_eval have in common, what tells them apart, how they take messages: not in their class.

Back ends are told apart by the names of their classes, so that none is imported to ask.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.trajectory import Message
from turnwise.runners.models.chat import continues_answer, to_chat

TAKE_SEEDS = ("lm_eval.models.api_models.TemplateAPI", "lm_eval.models.vllm_causallms.VLLM")
TAKE_NO_SEED = ("lm_eval.models.anthropic_llms.AnthropicChat",)
PLAIN_STOP = "\nUser:\n"
_HEADINGS = {"system": "System", "user": "User", "assistant": "Assistant"}
CHAT_ONLY = ("lm_eval.models.openai_completions.LocalChatCompletion",)


def takes_seeds(model: object) -> bool:
    """Return whether the model's generation options may hold a seed."""
    return _is_one_of(model, TAKE_SEEDS) and not _is_one_of(model, TAKE_NO_SEED)


def takes_chats_only(model: object) -> bool:
    """Return whether the model takes whole chats, and neither text nor the beginning of an answer."""
    return _is_one_of(model, CHAT_ONLY)


def context_tokens(model: object) -> int | None:
    """Return how many tokens the model's context holds, where its own tokenizer can count them; else None."""
    if not hasattr(model, "tok_encode") or not getattr(model, "tokenized_requests", True):
        return None
    limit = getattr(model, "max_length", None)
    return limit if isinstance(limit, int) else None


def status_of(error: Exception) -> int | None:
    """Return the HTTP status that aiohttp's or requests' error is about."""
    status = getattr(error, "status", None) or getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def text_of(prompt: object) -> str:
    """Return the text of a rendered prompt; API models wrap theirs."""
    text = getattr(prompt, "prompt", prompt)
    return text if isinstance(text, str) else json.dumps(text, default=str)


def _is_one_of(model: object, names: Sequence[str]) -> bool:
    return any(f"{one.__module__}.{one.__qualname__}" in names for one in type(model).__mro__)


class _Ear:
    """Stands in for the cache hook of a model: back ends tell it each reply as it comes."""

    dbdict = None

    def __init__(self, hear: Callable[[object, object], None]) -> None:
        self._hear = hear

    def add_partial(self, attr: str, req: object, res: object) -> None:
        if attr == "generate_until":
            self._hear(req, res)


@contextmanager
def hearing(model: Any, hear: Callable[[Any, Any], None]) -> Iterator[None]:
    """Call ``hear`` with the request (prompt, options) and the text of each reply as it comes, if the model tells."""
    own = getattr(model, "cache_hook", None)
    model.cache_hook = _Ear(hear)
    try:
        yield
    finally:
        model.cache_hook = own


class _Notes(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@contextmanager
def listening() -> Iterator[list[str]]:
    """Yield what lm_eval's API models warn of: a server's reason for refusing stands nowhere else."""
    logger, notes = logging.getLogger("lm_eval.models.api_models"), _Notes()
    logger.addHandler(notes)
    try:
        yield notes.said
    finally:
        logger.removeHandler(notes)


def to_plain(messages: Sequence[Message]) -> str:
    """Return the messages as plain text that a model without a chat template can go on with."""
    chat = to_chat(messages)
    is_begun = continues_answer(messages)
    said = [f"{_HEADINGS.get(one['role'], one['role'])}:\n{one['content']}" for one in chat]
    return "\n\n".join(said if is_begun else [*said, "Assistant:\n"])


def render(model: Any, messages: Sequence[Message], *, chat: bool) -> Any:
    """Return what ``generate_until`` of ``model`` takes; raises TurnwiseError where its template cannot say it."""
    if not chat:
        return to_plain(messages)
    is_begun = continues_answer(messages)
    try:
        return model.apply_chat_template(to_chat(messages), add_generation_prompt=not is_begun)
    except Exception as error:  # whatever a template or a tokenizer raises
        reason = " ".join(str(error).split())[:300]
        raise TurnwiseError(
            f"--apply_chat_template: the chat template of the model cannot be used ({reason}): leave the option "
            "out for a model without one, or give the model a template."
        ) from None
