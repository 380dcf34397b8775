"""What a compatible server sends, whole or streamed, as a Reply; raises MalformedError for what is none.

Understood besides OpenAI's own fields: ``reasoning_content`` and ``reasoning`` (thinking that a server's
parser has split off) and ``token_ids``, as vLLM and others send them.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any

from turnwise.tasks.damage import describe_damage
from turnwise.tasks.trajectory import Reply

# How vLLM and SGLang end an answer that they, not the model, broke off.
GIVEN_UP = frozenset({"abort", "error"})


class MalformedError(Exception):
    """The answer is no chat completion, or not a whole one."""


def read_replies(data: Any) -> list[Reply]:
    """Return the replies in a chat completion's JSON, one for each choice; no content is an empty text.

    Servers count the tokens of all choices together: each reply has its share by length, or its token ids counted.
    """
    try:
        choices, usage = data["choices"], data.get("usage") or {}
        if len(choices) > 1:
            choices = sorted(choices, key=lambda choice: choice["index"])
        replies = [_read_choice(choice, usage) for choice in choices]
    except (LookupError, TypeError, AttributeError) as error:
        raise MalformedError(f"it is no chat completion ({describe_damage(error)})") from None
    if not replies:
        raise MalformedError("it is no chat completion (it has no choices)")
    return replies if len(replies) == 1 else _share_tokens(replies)


def _read_choice(choice: Mapping[str, Any], usage: Mapping[str, Any]) -> Reply:
    message = choice["message"]
    return _reply(
        text=_text(message.get("content")),
        reasoning=_text(message.get("reasoning_content") or message.get("reasoning")),
        finish_reason=choice.get("finish_reason"),
        usage=usage,
        token_ids=choice.get("token_ids"),
        logprobs=_logprobs(choice),
    )


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
    """Return the reply that ``chunks`` (JSON objects) add up to."""
    text: list[str] = []
    reasoning: list[str] = []
    token_ids: list[int] = []
    logprobs: list[float] = []
    usage: Mapping[str, Any] = {}
    finish_reason = None
    async for chunk in chunks:
        try:
            usage = chunk.get("usage") or usage
            for choice in chunk.get("choices") or ():
                delta = choice.get("delta") or {}
                text.append(_text(delta.get("content")))
                reasoning.append(_text(delta.get("reasoning_content") or delta.get("reasoning")))
                token_ids += choice.get("token_ids") or ()
                logprobs += _logprobs(choice) or ()
                finish_reason = choice.get("finish_reason") or finish_reason
                if text[-1] or reasoning[-1] or finish_reason:
                    on_first_token()
        except (LookupError, TypeError, AttributeError) as error:
            raise MalformedError(f"it is no chat completion ({describe_damage(error)})") from None
    if finish_reason is None:
        raise MalformedError("its stream ended before the answer did")
    return _reply(
        text="".join(text),
        reasoning="".join(reasoning),
        finish_reason=finish_reason,
        usage=usage,
        token_ids=token_ids or None,
        logprobs=logprobs or None,
    )


def _reply(
    *,
    text: str,
    reasoning: str,
    finish_reason: Any,
    usage: Mapping[str, Any],
    token_ids: Sequence[int] | None,
    logprobs: Sequence[float] | None,
) -> Reply:
    if finish_reason in GIVEN_UP:
        raise MalformedError(f"the server broke it off ({finish_reason})")
    return Reply(
        text,
        reasoning,
        str(finish_reason or "stop"),
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        None if token_ids is None else tuple(int(one) for one in token_ids),
        None if logprobs is None else tuple(float(one) for one in logprobs),
    )


def _logprobs(choice: Mapping[str, Any]) -> list[float] | None:
    content = (choice.get("logprobs") or {}).get("content")
    return None if content is None else [one["logprob"] for one in content]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("a text of another kind")
    return value


def _count(value: Any) -> int | None:
    return value if type(value) is int else None
