"""A compatible server: where it is, how it is asked, which models it serves."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import openai

from turnwise.errors import TurnwiseError
from turnwise.runners.openai_errors import ServerGoneError, sort_error

_CONNECT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how to ask.

    ``timeout`` bounds one request, waiting at the server included; ``outage`` is how long the server may be
    silent before the run stops; ``backoff`` the first wait between attempts (all seconds). ``concurrency`` 0
    finds by itself how many requests to have in flight. ``logprobs`` asks for token ids and log-probabilities.
    ``first_turns`` is for how many dialogues one request asks their first reply.
    """

    base_url: str
    model: str
    api_key: str = field(default="EMPTY", repr=False)
    concurrency: int = 0
    max_retries: int = 5
    timeout: float = 1800.0
    outage: float = 60.0
    backoff: float = 0.5
    logprobs: bool = False
    first_turns: int = 1
    system_role: bool = True

    def with_model(self, served: Sequence[str]) -> "Server":
        """Return the server with its model chosen, where none was named and one is served.

        Raises TurnwiseError if that cannot be told, or the model named is not among the ``served``.
        """
        known = f"it serves {', '.join(served)}" if served else "it does not say which it serves"
        if not self.model and len(served) == 1:
            return replace(self, model=served[0])
        if not self.model:
            raise TurnwiseError(f"No model is named for {self.base_url} ({known}): give -a model=NAME.")
        if served and self.model not in served:
            raise TurnwiseError(f"The server at {self.base_url} has no model {self.model!r} ({known}): mend -a model=.")
        return self

    def client_options(self) -> dict[str, Any]:
        """Return what openai's clients take; asking again is this module's own business."""
        timeout = openai.Timeout(self.timeout, connect=min(self.timeout, _CONNECT_SECONDS))
        return {"base_url": self.base_url, "api_key": self.api_key, "max_retries": 0, "timeout": timeout}


def served_models(server: Server, *, timeout: float) -> tuple[str, ...]:
    """Return the names of the models at ``server``, none where it does not tell.

    Raises TurnwiseError if it refuses the key, or does not answer within ``timeout`` seconds.
    """
    with openai.OpenAI(**server.client_options()) as client:
        try:
            return tuple(model.id for model in client.models.list(timeout=timeout))
        except openai.NotFoundError:
            return ()
        except openai.OpenAIError as error:
            found = sort_error(error, base_url=server.base_url, model=server.model)
            raise (
                found if isinstance(found, TurnwiseError) else ServerGoneError(server.base_url, str(found))
            ) from None
