"""Dialogues as chat messages, the form in which servers and chat templates take them.

Messages only ever grow at the end, so that a server's prefix cache serves every turn after the first.
"""

import re
from collections.abc import Sequence

from turnwise.records.trajectory import Message

ChatMessage = dict[str, str]
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_chat(messages: Sequence[Message], *, system_role: bool = True) -> list[ChatMessage]:
    """Return ``messages`` with neighbours of one role joined, since many chat templates refuse two in a row.

    Halves of characters, which no encoding carries, are sent as U+FFFD.
    Without ``system_role`` the system message opens the user's first one, for templates that know no such role.
    """
    chat: list[ChatMessage] = []
    for message in messages:
        role = "user" if message.role == "system" and not system_role else message.role
        if chat and chat[-1]["role"] == role:
            chat[-1]["content"] += "\n\n" + message.content
        else:
            chat.append({"role": role, "content": message.content})
    return [{**message, "content": sendable(message["content"])} for message in chat]


def sendable(text: str) -> str:
    """Return ``text`` with U+FFFD for each half of a character that lacks its other half."""
    return with_whole_pairs(text, errors="replace") if _SURROGATE.search(text) else text


def with_whole_pairs(text: str, *, errors: str = "surrogatepass") -> str:
    """Return ``text`` as JSON will give it back: two halves of a character that stand side by side are that one."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", errors)


def continues_answer(messages: Sequence[Message]) -> bool:
    """Return whether the model is to go on with an answer that has begun (a prefill)."""
    return bool(messages) and messages[-1].kind == "prefill"
