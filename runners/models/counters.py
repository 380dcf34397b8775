"""Counting the tokens of prompts before a run: by the model's own tokenizer, or by asking its server."""

import json
import math
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Any, Protocol

from turnwise.errors import TurnwiseError
from turnwise.records.trajectory import Message
from turnwise.runners.models.chat import ChatTemplate, to_chat
from turnwise.runners.models.openai.replies import MalformedError, read_document
from turnwise.runners.models.openai.server import Server

CHARACTERS_PER_TOKEN = 3.5  # of statements and code, roughly, with the tokenizers of today's models
_SECONDS = 30.0
_MOST_BYTES = 16 << 20


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


class ServerCounter:
    """Counts by asking a vLLM server, which says its context length too; elsewhere guesses from characters.

    ``max_length`` is what the server says elsewhere. No redirect is followed, since the key goes along.
    """

    def __init__(self, base_url: str, model: str, *, api_key: str = "EMPTY", max_length: int | None = None) -> None:
        self._url = Server(base_url, model).root_url("/tokenize")
        self._model = model
        self._key = api_key
        self._guess = CharacterCounter()
        probe = self._ask([{"role": "user", "content": "x"}])
        self.is_exact = probe is not None
        length = None if probe is None else probe.get("max_model_len")
        self.max_length: int | None = length if type(length) is int and length > 0 else max_length

    def count(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the prompt has."""
        answer = self._ask(to_chat(messages)) if self.is_exact else None
        return self._guess.count(messages) if answer is None else int(answer["count"])

    def _ask(self, chat: list[dict[str, str]]) -> dict[str, Any] | None:
        body = json.dumps({"model": self._model, "messages": chat}).encode()
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._key}"}
        request = urllib.request.Request(self._url, body, headers)
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=_SECONDS) as answer:
                found = read_document(answer.read(_MOST_BYTES))
        except (OSError, ValueError, HTTPException, MalformedError):
            return None
        count = found.get("count") if isinstance(found, dict) else None
        return found if type(count) is int and 0 <= count <= _MOST_BYTES else None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow none."""
