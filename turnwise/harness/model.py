"""A model of lm_eval as a batch sampler: generate_until, one request a call, whatever the back end does about it.

Back ends answer a batch whole or not at all, so that one refused request (a context that is too long, say)
would end the run. What a batch answered before it failed is kept, the rest is halved until the request that
fails stands alone; that one dialogue ends. A model that answers nothing any more stops the run with one
sentence; where no reply is kept for another attempt, it leaves the rest missing instead.
"""

import copy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.harness.back_end import (
    PLAIN_STOP,
    context_tokens,
    hearing,
    listening,
    render,
    status_of,
    takes_chats_only,
    takes_seeds,
    text_of,
)
from turnwise.harness.replies import KeptReplies
from turnwise.records.trajectory import Reply
from turnwise.runners.models.sampler import ContextOverflowError, Outcome, Request, RequestError, is_overflow
from turnwise.tasks.dialogue import dialogue_seed

FAILURES_IN_A_ROW = 3
_REFUSED = frozenset({400, 413, 422})
_HOPELESS = frozenset({401, 402, 403, 404, 405, 407})


@dataclass(slots=True)
class _Waiting:
    """A request on its way: what is sent, where its reply is kept, and the reply."""

    request: Request
    prompt: object
    generation: dict[str, object]
    key: str
    outcome: Outcome = None

    @property
    def sent(self) -> tuple[str, object]:
        """What tells its reply from others: the prompt and the seed."""
        return (text_of(self.prompt), self.generation.get("seed"))


class LmSampler:
    """Asks ``model`` with ``generation`` (lm_eval's names); ``chat`` renders with its chat template.

    ``seed`` None sends a null seed where seeds are taken, so that the server draws its own.
    """

    def __init__(
        self, model: Any, generation: Mapping[str, Any], *, chat: bool, seed: int | None, kept: KeptReplies
    ) -> None:
        self._model = model
        self._generation = dict(generation)
        self._generation["do_sample"] = float(generation.get("temperature") or 0) > 0
        if not chat:
            until = generation.get("until") or []
            self._generation["until"] = [*([until] if isinstance(until, str) else until), PLAIN_STOP]
        if not self._generation.get("until"):
            self._generation.pop("until", None)  # OpenAI refuses an empty list
        self._chat = chat
        self._seed = seed
        self._takes_seeds = takes_seeds(model)
        self._kept = kept
        self._answered = 0
        self._failed = 0
        self._has_stopped = False
        self.first_error = ""
        self.context_tokens = context_tokens(model)
        self._check()

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in order; raises TurnwiseError if the model answers nothing any more."""
        waiting = [self._waiting(request) for request in requests]
        self._ask([one for one in waiting if one.outcome is None])
        return [one.outcome for one in waiting]

    def _check(self) -> None:
        wanted = self._generation.get("max_gen_toks", 0)
        if self.context_tokens is not None and wanted >= self.context_tokens:
            raise TurnwiseError(
                f"max_gen_toks is {wanted}, and the model's context holds {self.context_tokens} tokens: give "
                "--gen_kwargs max_gen_toks=... a smaller value, or --model_args max_length=... the true one."
            )
        if not self._chat and takes_chats_only(self._model):
            raise TurnwiseError("This model takes chats only: give --apply_chat_template.")

    def _waiting(self, request: Request) -> _Waiting:
        if self._chat and request.messages[-1].kind == "prefill" and takes_chats_only(self._model):
            raise TurnwiseError("prefill begins the model's answer, which no chat API can go on with: leave it out.")
        generation = copy.deepcopy(self._generation)
        if self._takes_seeds:
            generation["seed"] = None if self._seed is None else call_seed(self._seed, request)
        try:
            prompt = render(self._model, request.messages, chat=self._chat)
        except TurnwiseError as error:
            if not self._answered:
                raise
            return _Waiting(request, "", generation, "", RequestError(str(error)))
        key = self._kept.key(request, text_of(prompt), generation)
        waiting = _Waiting(request, prompt, generation, key)
        kept = self._kept.get(key)
        if kept is not None:
            waiting.outcome = _reply(kept)
            self._answered += 1
        elif self.context_tokens is not None:
            tokens = len(self._model.tok_encode(prompt))
            if tokens + generation.get("max_gen_toks", 0) > self.context_tokens:
                waiting.outcome = ContextOverflowError(f"the dialogue has {tokens} tokens")
        return waiting

    def _ask(self, waiting: Sequence[_Waiting]) -> None:
        if self._has_stopped:
            for one in waiting:
                one.outcome = RequestError("the model has stopped answering")
        if not waiting or self._has_stopped:
            return
        try:
            with hearing(self._model, self._hear(waiting)), listening() as said:
                texts = self._model.generate_until([_instance(one, number) for number, one in enumerate(waiting)])
        except Exception as error:  # of any back end; who is to blame is found by halving
            rest = [one for one in waiting if one.outcome is None]
            if not rest:
                return
            if len(waiting) == 1:
                rest[0].outcome = self._failure(error, said)
            else:
                half = 1 if status_of(error) in _HOPELESS else (len(rest) + 1) // 2
                self._ask(rest[:half])
                self._ask(rest[half:])
            return
        self._take(waiting, texts)

    def _hear(self, waiting: Sequence[_Waiting]) -> Callable[[object, object], None]:
        """Return what is told of each reply as it comes, if the back end tells: it is kept at once."""
        open_by_sent: dict[tuple[str, object], list[_Waiting]] = {}
        for one in waiting:
            open_by_sent.setdefault(one.sent, []).append(one)

        def hear(asked: Any, text: Any) -> None:
            prompt, generation = asked[0], asked[1]
            same = open_by_sent.get((text_of(prompt), generation.get("seed")), [])
            if same and isinstance(text, str):
                self._answer(same.pop(0), text)

        return hear

    def _take(self, waiting: Sequence[_Waiting], texts: Sequence[str | None]) -> None:
        """Give those that were not told of their replies: of equal requests, those that nobody has yet."""
        told = Counter((one.sent, one.outcome.text) for one in waiting if isinstance(one.outcome, Reply))
        left: dict[tuple[str, object], list[str | None]] = {}
        for one, text in zip(waiting, texts, strict=True):
            if told[one.sent, text or ""]:
                told[one.sent, text or ""] -= 1
            else:
                left.setdefault(one.sent, []).append(text)
        for one in waiting:
            if one.outcome is None:
                self._answer(one, left[one.sent].pop(0))

    def _answer(self, one: _Waiting, text: str | None) -> None:
        text = text or ""  # a server's reply without content
        self._kept.put(one.key, text)
        one.outcome = _reply(text)
        self._answered += 1
        self._failed = 0

    def _failure(self, error: Exception, said: Sequence[str]) -> Outcome:
        """Return the end of the dialogue whose request failed alone, or raise if it is the model that fails."""
        self._failed += 1
        status = status_of(error)
        reason = " ".join(" ".join([*said[:1], f"{type(error).__name__}: {error}"]).split())[:500]
        self.first_error = self.first_error or reason
        is_of_request = status in _REFUSED and (self._answered or self._failed < FAILURES_IN_A_ROW)
        if is_of_request:
            return ContextOverflowError(reason) if is_overflow(reason) else RequestError(reason)
        if status in _HOPELESS or self._failed >= FAILURES_IN_A_ROW:
            if self._kept.is_kept or not self._answered:
                raise TurnwiseError(
                    f"The model does not answer ({reason}): mend what it says and run the same line again; with "
                    "--use_cache nothing that was answered is asked again."
                ) from error
            self._has_stopped = True
        return RequestError(reason)


def call_seed(run_seed: int, request: Request) -> int:
    """Return the seed of a call, the same for all problems: back ends batch requests of equal options only."""
    return dialogue_seed(run_seed, "", request.sample, request.turn, request.call)


def _instance(one: _Waiting, number: int) -> object:
    from lm_eval.api.instance import Instance

    return Instance("generate_until", {}, (one.prompt, copy.deepcopy(one.generation)), number)


def _reply(text: str) -> Reply:
    return Reply(text, finish_reason="unknown")  # lm_eval does not tell it
