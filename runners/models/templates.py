"""A model's own chat template: dialogues to token ids, for engines that run in this process.

Tokens are counted here, so a dialogue that outgrows the context ends; nothing of it is ever cut.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from turnwise.errors import TurnwiseError
from turnwise.records.trajectory import Message
from turnwise.runners.models.chat import continues_answer, to_chat
from turnwise.runners.models.sampler import ContextOverflowError

THINK = "<think>"


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
