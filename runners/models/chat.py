"""Dialogues as chat messages, the form in which servers and chat templates take them, and as token ids.

Messages only ever grow at the end, so that a server's prefix cache serves every turn after the first. Engines that run
in this process get token ids by the model's own chat template. Tokens are counted there, so a dialogue that outgrows
the context ends; nothing of it is ever cut. Before a run they are counted by the model's own tokenizer, or by asking
its server (openai/server.py).
"""

import copy
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from turnwise.errors import TurnwiseError
from turnwise.records.trajectory import Message
from turnwise.runners.models.sampler import ContextOverflowError

ChatMessage = dict[str, str]
_SURROGATE = re.compile("[\ud800-\udfff]")
THINK = "<think>"
CHARACTERS_PER_TOKEN = 3.5  # of statements and code, roughly, with the tokenizers of today's models


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


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a dialogue, how many tokens may follow, and text that belongs before the reply."""

    token_ids: list[int]
    max_tokens: int
    before_reply: str = ""


class ChatTemplate:
    """Renders dialogues with ``tokenizer`` for a model with room for ``max_length`` tokens.

    Raises TurnwiseError if the tokenizer has no chat template.
    """

    def __init__(self, tokenizer: Any, *, max_length: int, max_tokens: int | None, system_role: bool = True) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise TurnwiseError(
                f"The model {tokenizer.name_or_path!r} has no chat template: give one that was tuned to follow "
                "instructions, or a -a tokenizer= that has one."
            )
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._max_tokens = max_tokens
        self._system_role = system_role

    def with_max_tokens(self, max_tokens: int | None) -> Self:
        """Return the template for replies of at most ``max_tokens``."""
        other = copy.copy(self)
        other._max_tokens = max_tokens
        return other

    def render(self, messages: Sequence[Message]) -> Prompt:
        """Return the prompt, with what room there is for a reply; raises ContextOverflowError where there is none."""
        token_ids, text = self._encode(messages)
        room = self._max_length - len(token_ids)
        if room < 1:
            raise ContextOverflowError(f"{len(token_ids)} tokens leave no room for a reply in {self._max_length}")
        # The template may have opened the thinking, which then lacks its beginning in the reply.
        thinks = text.rstrip().endswith(THINK)
        return Prompt(token_ids, min(room, self._max_tokens or room), f"{THINK}\n" if thinks else "")

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        return len(self._encode(messages)[0])

    def _encode(self, messages: Sequence[Message]) -> tuple[list[int], str]:
        goes_on = continues_answer(messages)
        text = self._tokenizer.apply_chat_template(
            to_chat(messages, system_role=self._system_role),
            tokenize=False,
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
        )
        # The template has written every special token, so that none is added a second time.
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"]), text


class TokenCounter(Protocol):
    """Counts the tokens of a prompt; ``is_exact`` is whether the model's own tokenizer does."""

    is_exact: bool
    max_length: int | None

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        ...


class CharacterCounter:
    """A guess from characters, for models whose tokenizer is not here."""

    is_exact = False

    def __init__(self, max_length: int | None = None) -> None:
        self.max_length = max_length

    def count(self, messages: Sequence[Message]) -> int:
        """Return the guess."""
        return math.ceil(sum(len(message.content) for message in messages) / CHARACTERS_PER_TOKEN)


class TemplateCounter:
    """Counts with the tokenizer and chat template of a model of the hub or a folder; loads no weights.

    Raises TurnwiseError if there is no such model, or it has no chat template.
    """

    is_exact = True

    def __init__(self, model: str, *, tokenizer: str = "", revision: str = "", max_length: int | None = None) -> None:
        import transformers

        loading = {"revision": revision} if revision else {}
        try:
            found = transformers.AutoTokenizer.from_pretrained(tokenizer or model, **loading)
            config = transformers.AutoConfig.from_pretrained(model, **loading)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:300]
            raise TurnwiseError(f"The model {model!r} cannot be loaded ({reason}): mend -a model=.") from None
        self.max_length = max_length or getattr(config, "max_position_embeddings", None)
        self._template = ChatTemplate(found, max_length=self.max_length or 0, max_tokens=None)

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        return self._template.count(messages)
