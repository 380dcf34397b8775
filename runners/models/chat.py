"""Dialogues as chat messages, the form in which servers and chat templates take them, and as token ids.

Messages only ever grow at the end, so that a server's prefix cache serves every turn after the first. Engines that run
in this process get token ids by the model's own chat template: a reply stays as it was sampled, and a later prompt adds
to it what the template adds. Tokens are counted there, so a dialogue that outgrows the context ends; nothing of it is
ever cut. Before a run they are counted by the model's own tokenizer, or by asking its server (openai/server.py).
"""

import copy
import itertools
import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, Self

import jinja2

from turnwise.errors import TurnwiseError
from turnwise.records.thinking import strip_thinking
from turnwise.records.trajectory import Context, Message
from turnwise.runners.models.sampler import ContextOverflowError

ChatMessage = dict[str, str]
_LOGGER = logging.getLogger(__name__)
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


_PROBE = (
    Message("user", "statement", "", "Who?"),
    Message("assistant", "reply", "", "turnwise"),
    Message("user", "feedback", "", "Why?"),
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids of a dialogue, how many tokens may follow, and text that belongs before the reply.

    ``continues``: the ids begin with those of the call before and of its reply, as they were.
    """

    token_ids: list[int]
    max_tokens: int
    before_reply: str = ""
    continues: bool = False


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
        self._warnings: list[str] = []  # one for this template and those made of it

    def check(self, system_instruction: str = "") -> None:
        """Raise TurnwiseError for a template that cannot be filled in, or refuses the system message."""
        system = Message("system", "system", "", system_instruction)
        try:
            self._text([system, *_PROBE] if system_instruction else _PROBE)
        except (jinja2.TemplateError, ValueError, TypeError, KeyError, AttributeError) as error:
            remedy = "give -a system_role=false, or another model" if system_instruction else "name another model"
            reason = " ".join(str(error).split())[:300]
            raise TurnwiseError(
                f"The chat template of {self._tokenizer.name_or_path!r} cannot be filled in ({reason}): {remedy}."
            ) from None

    def with_max_tokens(self, max_tokens: int | None) -> Self:
        """Return the template for replies of at most ``max_tokens``."""
        other = copy.copy(self)
        other._max_tokens = max_tokens
        return other

    def render(self, messages: Sequence[Message], after: Context | None = None) -> Prompt:
        """Return the prompt, with what room there is for a reply; raises ContextOverflowError where there is none.

        ``after`` is what the model had and said in the call before, whose messages are those before the last reply
        here. The prompt then begins with these ids, and what the template adds follows. Where the template edits what
        was said before, or that reply lacks some of what the model said (its thinking), everything is encoded afresh.
        """
        text = self._text(messages)
        if self._edits and _last_reply(messages) is not None:
            self._warn()
        added = None if after is None else self._added(messages, text, after)
        token_ids = self._encode(text) if after is None or added is None else [*after.prompt, *after.reply, *added]
        room = self._max_length - len(token_ids)
        if room < 1:
            raise ContextOverflowError(f"{len(token_ids)} tokens leave no room for a reply in {self._max_length}")
        limit = min(room, self._max_tokens or room)
        return Prompt(token_ids, limit, _before_reply(text), continues=added is not None)

    def complete(self, messages: Sequence[Message], text: str) -> tuple[int, ...]:
        """Return the ids that a model samples to say ``text`` after ``messages``, which end where it speaks.

        They are those of the text alone, without a thought's beginning that the template has written, and those by
        which the template ends the model's turn.
        """
        begun = _before_reply(self._text(messages))
        return (*self._encode(sendable(text).removeprefix(begun)), *self._ending)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the ids of the prompt, all of it encoded afresh."""
        return self._encode(self._text(messages))

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        return len(self.encode(messages))

    def _text(self, messages: Sequence[Message]) -> str:
        goes_on = continues_answer(messages)
        text: str = self._tokenizer.apply_chat_template(
            to_chat(messages, system_role=self._system_role),
            tokenize=False,
            add_generation_prompt=not goes_on,
            continue_final_message=goes_on,
        )
        return text

    def _encode(self, text: str) -> list[int]:
        # The template has written every special token, so that none is added a second time.
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _added(self, messages: Sequence[Message], text: str, after: Context) -> list[int] | None:
        """Return the ids that follow those of ``after`` in the prompt of ``text``; None where they cannot stay."""
        place = _last_reply(messages)
        if place is None or not _says(self._tokenizer.decode(after.reply, skip_special_tokens=True), messages[place]):
            return None
        before = self._text(messages[:place])
        behind = _behind(text.removeprefix(before), sendable(messages[place].content))
        if not text.startswith(before) or behind is None:
            self._warn()
            return None
        added = self._encode(behind)
        said = next((n for n in range(len(self._ending), 0, -1) if after.reply[-n:] == self._ending[:n]), 0)
        start = self._end_of_blank(added)
        if said and tuple(added[start : start + said]) == self._ending[:said]:
            return added[start + said :]
        return added  # the reply was cut, and the template ends it

    @cached_property
    def _special(self) -> frozenset[int]:
        added = self._tokenizer.added_tokens_decoder
        return frozenset((*self._tokenizer.all_special_ids, *(one for one, token in added.items() if token.special)))

    @cached_property
    def _edits(self) -> bool:
        """Whether even a plain reply does not stand where it was said: the template opens a thought, say."""
        return not self._text(_PROBE).startswith(self._text(_PROBE[:1]))

    @cached_property
    def _ending(self) -> tuple[int, ...]:
        """The special tokens by which the template ends the model's turn; where it writes none, the tokenizer's own."""
        ids = self._encode(self._text(_PROBE).partition(_PROBE[1].content)[2])
        run = list(itertools.takewhile(self._special.__contains__, ids[self._end_of_blank(ids) :]))
        end = self._tokenizer.eos_token_id
        if end in run:
            return tuple(run[: run.index(end) + 1])
        return tuple(run[:1] or [one for one in (end,) if one is not None])

    def _end_of_blank(self, ids: Sequence[int]) -> int:
        """Return the place of the first special token if only white space is before it, else 0."""
        place = next((at for at, token in enumerate(ids) if token in self._special), 0)
        return 0 if place and self._tokenizer.decode(list(ids[:place])).strip() else place

    def _warn(self) -> None:
        if not self._warnings:
            self._warnings.append(
                f"The chat template of {self._tokenizer.name_or_path!r} edits what was said before, so the prompts of "
                "later turns are encoded anew: their token ids do not begin with those that were sampled."
            )
            _LOGGER.warning(self._warnings[0])


def _before_reply(text: str) -> str:
    """Return what the reply to the prompt ``text`` lacks: the beginning of a thought, where the template opened it."""
    return f"{THINK}\n" if text.rstrip().endswith(THINK) else ""


def _last_reply(messages: Sequence[Message]) -> int | None:
    """Return the place of the last thing that the model said; the beginning of an answer is given to it."""
    places = (at for at in reversed(range(len(messages))) if messages[at].role == "assistant")
    return next((at for at in places if messages[at].kind != "prefill"), None)


def _says(sampled: str, reply: Message) -> bool:
    """Return whether the history has what was ``sampled``: all of it but what a stop cut off."""
    if strip_thinking(sampled) != sampled:
        return False
    kept = reply.content.strip()
    return sampled.strip() == kept or (bool(kept) and sampled.lstrip().startswith(kept))


def _behind(text: str, reply: str) -> str | None:
    """Return what a template wrote behind ``reply``, with which ``text`` begins; None where it begins otherwise.

    Many a template takes the white space around a reply away.
    """
    if text.startswith(reply):
        return text[len(reply) :]
    text, reply = text.lstrip(), reply.strip()
    return text[len(reply) :] if text.startswith(reply) else None


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
        except Exception as error:  # tokenizers raises just that, and transformers whatever a damaged file leads to
            if isinstance(error, MemoryError):
                raise
            reason = " ".join(str(error).split())[:300]
            raise TurnwiseError(f"The model {model!r} cannot be loaded ({reason}): mend -a model=.") from None
        self.max_length = max_length or getattr(config, "max_position_embeddings", None)
        self._template = ChatTemplate(found, max_length=self.max_length or 0, max_tokens=None)

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        return self._template.count(messages)
