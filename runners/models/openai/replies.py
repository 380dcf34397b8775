"""What a compatible server sends, whole or streamed, as a Reply; raises MalformedError for what is none.

Understood besides OpenAI's own fields: ``reasoning_content`` and ``reasoning`` (thinking that a server's
parser has split off), ``token_ids``, as vLLM and others send them, and contents that are lists of parts. What a
provider gives instead of the model's reply (its filter's, a refusal, tool calls) is named and kept beside the text.

JSON is read within bounds: nothing in it costs more than a limit, or ends in a traceback. A document is refused before
it is parsed where it nests deeper or holds more values than an answer can; so are numbers that JSON does not have.
"""

import json
import math
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from turnwise.records.codec import reason_of
from turnwise.records.trajectory import Reply
from turnwise.runners.models.chat import with_whole_pairs

MOST_LEVELS = 64
MOST_VALUES = 2_000_000

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)  # the last one may be cut off
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# How vLLM, SGLang and hosted services end an answer that they, not the model, broke off.
GIVEN_UP = frozenset({"abort", "error", "network_error", "insufficient_system_resource"})
# How providers end one that they filter.
_FILTERED = frozenset({"safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive"})
_MOST_TOKENS = 10**9
_LONGEST_REASON = 100
_MOST_WITHHELD = 20_000


class MalformedError(Exception):
    """The answer is no chat completion, or not a whole one."""


def read_document(data: bytes) -> Any:
    """Return the JSON document in ``data``; bytes that are no UTF-8 become U+FFFD. Raises MalformedError."""
    _check_size(data)
    try:
        return json.loads(data.decode("utf-8-sig", "replace"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise MalformedError(f"it is no JSON ({error.msg} at character {error.pos})") from None
    except (ValueError, RecursionError):
        raise MalformedError("it is no JSON (it holds a number that none can be)") from None


def _check_size(data: bytes) -> None:
    """Raise MalformedError for more levels or values than an answer has; strings are taken out first."""
    openers = data.count(b"[") + data.count(b"{")
    if openers <= MOST_LEVELS and len(data) <= MOST_VALUES:
        return
    skeleton = _STRING.sub(b"", data)
    if skeleton.count(b",") + skeleton.count(b"[") + skeleton.count(b"{") > MOST_VALUES:
        raise MalformedError(f"it holds more than {MOST_VALUES} values")
    brackets = skeleton.translate(None, _NO_BRACKETS)
    for _ in range(MOST_LEVELS):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    if brackets:
        raise MalformedError(f"it is cut off, or nested deeper than {MOST_LEVELS} levels")


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


@dataclass(slots=True)
class _Content:
    """What a message or its pieces hold."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    tool_calls: list[object] = field(default_factory=list)

    def add_message(self, message: Mapping[str, object]) -> None:
        """Take a message, or a piece of one."""
        self._add(message.get("content"), self.text)
        self._add(message.get("reasoning_content") or message.get("reasoning"), self.reasoning)
        self._add(message.get("refusal"), self.refusal)
        if calls := message.get("tool_calls") or message.get("function_call"):
            self.tool_calls.append(calls)

    def _add(self, value: object, where: list[str]) -> None:
        """Take a text in any of its shapes: nothing, a text, a part, or a list of these."""
        if value is None:
            return
        if isinstance(value, str):
            where.append(value)
        elif isinstance(value, list):
            for part in value:
                self._add(part, where)
        elif isinstance(value, dict):
            self._add_part(value, where)
        else:
            raise TypeError("a text of another kind")

    def _add_part(self, part: Mapping[str, object], where: list[str]) -> None:
        kind = str(part.get("type"))
        if kind == "refusal":
            self._add(part.get("refusal"), self.refusal)
        elif kind in ("thinking", "reasoning"):
            self._add(part.get("thinking") or part.get("reasoning") or part.get("text"), self.reasoning)
        elif kind in ("tool_use", "tool_call", "function_call"):
            self.tool_calls.append(part)
        else:
            self._add(next((part[name] for name in ("text", "content", "value") if name in part), None), where)


def read_replies(data: Any) -> list[Reply]:
    """Return the replies in a chat completion's JSON, one for each choice; no content is an empty text.

    Servers count the tokens of all choices together: each reply has its share by length, or its token ids counted.
    """
    try:
        choices, usage = data["choices"], data.get("usage") or {}
        if len(choices) > 1:
            choices = sorted(choices, key=lambda choice: choice["index"])
        replies = [_read_choice(choice, usage) for choice in choices]
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise MalformedError(f"it is no chat completion ({reason_of(error)})") from None
    if not replies:
        raise MalformedError("it is no chat completion (it has no choices)")
    return replies if len(replies) == 1 else _share_tokens(replies)


def _read_choice(choice: Mapping[str, Any], usage: Mapping[str, object]) -> Reply:
    content = _Content()
    end = choice.get("finish_reason")
    message = choice.get("message")
    if message is None and isinstance(end, str) and _withheld("", "", end, ())[0]:
        message = {}  # what a filter leaves of it
    content.add_message(choice["message"] if message is None else message)
    return _reply(content, end, usage, _ids(choice), _logprobs(choice))


def _share_tokens(replies: Sequence[Reply]) -> list[Reply]:
    """Return the replies with the tokens of each, whose sum is what the server counted."""
    total = replies[0].completion_tokens
    if all(one.token_ids is not None for one in replies):
        return [replace(one, completion_tokens=len(one.token_ids or ())) for one in replies]
    if total is None:
        return list(replies)
    ends = list(accumulate(len(one.text) + len(one.reasoning) + 1 for one in replies))  # 1: the end is a token too
    counted = [total * end // ends[-1] for end in ends]
    return [
        replace(one, completion_tokens=end - begin)
        for one, begin, end in zip(replies, [0, *counted], counted, strict=False)
    ]


async def read_stream(chunks: AsyncIterator[Any], *, on_first_token: Callable[[], None]) -> Reply:
    """Return the reply that ``chunks`` (JSON objects) add up to; a whole completion among them is read as one."""
    content, token_ids, logprobs = _Content(), list[int](), list[float]()
    usage: Mapping[str, object] = {}
    finish_reason = None
    async for chunk in chunks:
        try:
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices") or ():
                content.add_message(choice.get("delta") or choice.get("message") or {})
                token_ids += _ids(choice) or ()
                logprobs += _logprobs(choice) or ()
                finish_reason = choice.get("finish_reason") or finish_reason
                if content.text[-1:] > [""] or content.reasoning[-1:] > [""] or finish_reason:
                    on_first_token()
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise MalformedError(f"it is no chat completion ({reason_of(error)})") from None
    if finish_reason is None:
        raise MalformedError("its stream ended before the answer did")
    try:
        return _reply(content, finish_reason, usage, token_ids or None, logprobs or None)
    except (TypeError, AttributeError, ValueError) as error:
        raise MalformedError(f"it is no chat completion ({reason_of(error)})") from None


def withheld_reply(words: str) -> Reply:
    """Return the reply that a provider's filter refused with an error."""
    return Reply("", finish_reason="content_filter", withheld="content_filter", withheld_content=words)


def _reply(
    content: _Content,
    finish_reason: object,
    usage: Mapping[str, object],
    token_ids: Sequence[int] | None,
    logprobs: Sequence[float] | None,
) -> Reply:
    end = "stop" if finish_reason is None else finish_reason
    if not isinstance(end, str) or len(end) > _LONGEST_REASON:
        raise TypeError("a finish_reason of another kind")
    if end in GIVEN_UP:
        raise MalformedError(f"the server broke it off ({end})")
    text, reasoning, refusal = ("".join(parts) for parts in (content.text, content.reasoning, content.refusal))
    withheld, instead = _withheld(text, refusal, end, content.tool_calls)
    return Reply(
        with_whole_pairs(text),
        with_whole_pairs(reasoning),
        end or "stop",
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        withheld,
        with_whole_pairs(instead[:_MOST_WITHHELD]),
        None if token_ids is None else tuple(token_ids),
        None if logprobs is None else tuple(logprobs),
    )


def _withheld(text: str, refusal: str, end: str, tool_calls: Sequence[object]) -> tuple[str, str]:
    """Return why the reply is not the model's own, "" where it is, and what there is instead."""
    name = end.lower()
    if name.startswith("content_filter") or name in _FILTERED:
        return "content_filter", refusal
    if name == "refusal" or (refusal and not text):
        return "refusal", refusal
    if not text and (tool_calls or name in ("tool_calls", "function_call")):
        return "tool_calls", json.dumps(list(tool_calls)) if tool_calls else ""
    return "", ""


def _ids(choice: Mapping[str, Any]) -> list[int] | None:
    """Return the ids of the tokens: a field of their own, or beside each log-probability, as llama.cpp has them."""
    values = choice.get("token_ids")
    if values is None:
        entries = (choice.get("logprobs") or {}).get("content") or ()
        values = [entry["id"] for entry in entries if "id" in entry] or None
    if values is None:
        return None
    if not isinstance(values, list) or not all(type(one) is int and 0 <= one <= _MOST_TOKENS for one in values):
        raise TypeError("a token id of another kind")
    return values


def _logprobs(choice: Mapping[str, Any]) -> list[float] | None:
    content = (choice.get("logprobs") or {}).get("content")
    if content is None:
        return None
    values = [one["logprob"] for one in content]
    if not all(type(one) in (int, float) and abs(one) <= _MOST_TOKENS for one in values):
        raise TypeError("a log-probability of another kind")
    return [float(one) for one in values]


def _count(value: Any) -> int | None:
    """Return a number of tokens, None where the server does not tell; raises TypeError for what is no number of any."""
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= _MOST_TOKENS or math.trunc(value) != value:
        raise TypeError("a number of tokens of another kind")
    return int(value)
