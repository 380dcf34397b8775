"""Dialogues as rows of token ids and labels, as the model to train reads and says them.

    rows = TokenRows(tokenizer, learn="last").rows_of(conversation)

Calls whose prompt continues that of the call before, token by token, are one row; where the chat template edits what
was said before (it leaves out thinking, say), each call is a row of its own. Labels are NOT_LEARNT but for what the
model says, with the token by which its turn ends. What it sampled is kept token by token where the ids were recorded
and are of this tokenizer, and encoded once where they are not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jinja2

from turnwise.errors import TurnwiseError
from turnwise.records.choices import Learn
from turnwise.records.training import NOT_LEARNT
from turnwise.records.trajectory import Context, Message
from turnwise.runners.models.chat import ChatTemplate
from turnwise.training.data.conversations import JOINT, Conversation, Exchange

_ROOM = 2**40  # tokens: what is too long is dropped later, and counted


class UnfitTokenizerError(TurnwiseError):
    """The tokenizer loses a reply, or its template refuses a dialogue: no data can be made with it."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence to train on; ``labels`` are the ids where something is learnt, else NOT_LEARNT."""

    input_ids: list[int] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)

    def add(self, token_ids: Sequence[int], *, learn: bool) -> None:
        """Append tokens."""
        self.input_ids.extend(token_ids)
        self.labels.extend(token_ids if learn else [NOT_LEARNT] * len(token_ids))


class TokenRows:
    """Makes rows with ``tokenizer``; ``learn`` says which replies have labels: ``all``, or the ``last``."""

    def __init__(self, tokenizer: Any, *, learn: str = Learn.ALL, system_role: bool = True) -> None:
        self._tokenizer = tokenizer
        self._learn = learn
        self._template = ChatTemplate(tokenizer, max_length=_ROOM, max_tokens=None, system_role=system_role)

    def rows_of(self, conversation: Conversation) -> list[Row]:
        """Return the rows in which something is learnt.

        Raises UnfitTokenizerError, naming the dialogue, for a reply that is lost and what the template refuses.
        """
        rows: list[Row] = []
        context: Context | None = None
        last = len(conversation.exchanges) - 1
        for number, exchange in enumerate(conversation.exchanges):
            try:
                prompt = self._template.render(exchange.messages, context)
                begun = prompt.before_reply
                reply = self._recorded(exchange, begun) or self._encoded(exchange, begun, conversation)
            except jinja2.TemplateError as error:
                raise UnfitTokenizerError(
                    f"The chat template of {self._tokenizer.name_or_path!r} refuses {_where(conversation)} ({error}): "
                    "name another --tokenizer."
                ) from None
            if not rows or not prompt.continues:
                rows.append(Row())
            rows[-1].add(prompt.token_ids[len(rows[-1].input_ids) :], learn=False)
            rows[-1].add(reply, learn=self._learn == Learn.ALL or number == last)
            context = Context(tuple(prompt.token_ids), reply)
        return [row for row in rows if any(label != NOT_LEARNT for label in row.labels)]

    @cached_property
    def _ending(self) -> tuple[int, ...]:
        """The ids by which the template ends the model's turn."""
        return self._template.complete((Message("user", "statement", "", ""),), "")

    def _encoded(self, exchange: Exchange, begun: str, conversation: Conversation) -> tuple[int, ...]:
        """Return the ids of a reply; raises UnfitTokenizerError if they do not say what it says."""
        reply = self._template.complete(exchange.messages, exchange.text)
        if self._decode(reply[: len(reply) - len(self._ending)]) != exchange.text.removeprefix(begun):
            raise UnfitTokenizerError(
                f"The tokenizer {self._tokenizer.name_or_path!r} does not give a reply of {_where(conversation)} back "
                "as it was, so a model would learn another: name another --tokenizer."
            )
        return reply

    def _recorded(self, exchange: Exchange, begun: str) -> tuple[int, ...] | None:
        """Return the ids that were sampled, None where they are not known or not of this tokenizer.

        ``begun`` is the beginning of the reply that the template wrote.
        """
        if not exchange.parts:
            return None
        known = len(self._tokenizer)
        if not all(0 <= token < known for part in exchange.parts for token in part):
            return None
        joint = tuple(self._tokenizer(JOINT, add_special_tokens=False)["input_ids"])
        *thoughts, last = exchange.parts
        reply = tuple(token for part in thoughts for token in (*self._without_end(part), *joint)) + last
        bare = self._without_end(reply)
        if self._decode(bare) != exchange.text.removeprefix(begun):
            return None
        return reply if len(bare) < len(reply) else (*reply, *self._ending)

    def _without_end(self, token_ids: Sequence[int]) -> tuple[int, ...]:
        """Return the ids without special tokens at their end."""
        end = len(token_ids)
        while end and not self._tokenizer.decode([token_ids[end - 1]], skip_special_tokens=True):
            end -= 1
        return tuple(token_ids[:end])

    def _decode(self, token_ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            list(token_ids), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text


def _where(conversation: Conversation) -> str:
    return f"the dialogue about {conversation.problem}, sample {conversation.sample} of the run {conversation.run!r}"
