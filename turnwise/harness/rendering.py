"""The messages of a dialogue as lm_eval's models take them: a chat, its template's text, or plain text."""

from collections.abc import Sequence
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.trajectory import Message
from turnwise.runners.models.chat import continues_answer, to_chat

PLAIN_STOP = "\nUser:\n"
_HEADINGS = {"system": "System", "user": "User", "assistant": "Assistant"}


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
