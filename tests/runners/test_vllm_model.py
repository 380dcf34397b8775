"""The adapter to vLLM's asynchronous engine, with an engine of our own in its place.

A real one: tests/engines/real_vllm.py, run by a person.
"""

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.settings import RunSettings, Sampling
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.catalog import find_back_end
from turnwise.runners.models.chat import ChatTemplate, Prompt
from turnwise.runners.models.sampler import ContextOverflowError, Request, RequestError
from turnwise.runners.models.vllm import VLLMModel, VLLMOptions


class WordTokenizer:
    """A token a word, which is its length; the template writes roles as words, and ends replies with one of four."""

    chat_template = "words"
    name_or_path = "words"
    eos_token_id = 4
    all_special_ids = (4,)
    added_tokens_decoder: ClassVar[dict[int, object]] = {}

    def __init__(self, opening: str = "") -> None:
        self._opening = opening

    def apply_chat_template(self, chat: list[dict[str, str]], **options: Any) -> str:
        """Return the text of a chat."""
        assert options["tokenize"] is False
        ends = {"assistant": " </s>"}
        words = [f"{message['role']}: {message['content']}{ends.get(message['role'], '')}" for message in chat]
        return " ".join([*words, f"assistant: {self._opening}" if options["add_generation_prompt"] else ""])

    def __call__(self, text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [len(word) for word in text.split()]}

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Return as many words of one letter."""
        return " ".join(
            "w" for one in ids for _ in range(0 if skip_special_tokens and one in self.all_special_ids else one)
        )


@dataclass
class LogProb:
    """As vLLM's."""

    logprob: float


@dataclass
class Completion:
    """As vLLM's CompletionOutput."""

    text: str
    token_ids: list[int]
    finish_reason: str = "stop"
    logprobs: list[dict[int, LogProb]] | None = None


@dataclass
class Output:
    """As vLLM's RequestOutput."""

    outputs: list[Completion] = field(default_factory=list)


class EngineDeadError(Exception):
    """As vLLM's."""


class FakeEngine:
    """Answers with how many tokens it was given and its seed; ``most`` is how many were asked at a time."""

    def __init__(self, error: Exception | None = None, *, ends: str = "length") -> None:
        self._error = error
        self._ends = ends
        self.now = self.most = 0
        self.ids: list[str] = []
        self.is_shut = False

    async def generate(self, prompt: Any, sampling_params: Any, request_id: str) -> AsyncIterator[Output]:
        """Yield the final output."""
        self.ids.append(request_id)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.001)
        self.now -= 1
        if self._error is not None:
            raise self._error
        said = f"{len(prompt['prompt_token_ids'])} {sampling_params}"
        yield Output([Completion(said, [3, 4], self._ends, [{3: LogProb(-0.5)}, {4: LogProb(-1.5), 9: LogProb(-0.1)}])])

    def shutdown(self) -> None:
        """Note it."""
        self.is_shut = True


def _ask(engine: FakeEngine, *requests: Request, opening: str = "", **options: Any) -> list[Any]:
    model = VLLMModel(
        engine,
        ChatTemplate(WordTokenizer(opening), max_length=20, max_tokens=5),
        make_params=lambda sampling, prompt, seed: f"{prompt.max_tokens} {seed}",
        sampling=Sampling(),
        batch=4,
        description={"model": "m"},
        **options,
    )

    async def ask() -> list[Any]:
        try:
            return await asyncio.gather(*map(model.generate, requests), return_exceptions=True)
        finally:
            await model.close()

    return asyncio.run(ask())


def _request(number: int = 0, *, words: int = 2) -> Request:
    return Request("t", f"b/{number}", 0, 0, 0, (Message("user", "statement", "statement", "w " * words),), number)


def test_each_request_goes_to_the_engine_on_its_own() -> None:
    """As token ids, with its seed, a little more of them than the engine runs at a time; then it is ended."""
    engine = FakeEngine()
    replies = _ask(engine, *map(_request, range(12)))
    assert replies[3] == Reply("4 5 3", "", "length", 4, 2)
    assert engine.most == 5 and len(set(engine.ids)) == 12 and engine.is_shut


def test_token_ids_and_logprobs_are_those_of_the_chosen_tokens() -> None:
    """Where they were asked for, with those of the prompt."""
    (reply,) = _ask(FakeEngine(), _request(), logprobs=True)
    assert (reply.token_ids, reply.logprobs) == ((3, 4), (-0.5, -1.5))
    assert reply.prompt_token_ids == (5, 1, 1, 10)
    (plain,) = _ask(FakeEngine(), _request())
    assert (plain.token_ids, plain.logprobs, plain.prompt_token_ids) == (None, None, None)


def test_a_later_prompt_begins_with_what_the_engine_was_given_and_gave() -> None:
    """The ids of its reply stay, though the template's words have others; only what is new is encoded."""
    engine = FakeEngine()
    (reply,) = _ask(engine, _request())
    said = (Message("assistant", "reply", "", "w w w"), Message("user", "feedback", "", "go on"))
    messages = (*_request().messages, *said)
    (later,) = _ask(engine, replace(_request(), turn=1, messages=messages, after=reply.context), logprobs=True)
    assert later.prompt_token_ids == (5, 1, 1, 10, 3, 4, 5, 2, 2, 10) and later.prompt_tokens == 10
    (afresh,) = _ask(engine, replace(_request(), turn=1, messages=messages), logprobs=True)
    assert afresh.prompt_token_ids == (5, 1, 1, 10, 1, 1, 1, 4, 5, 2, 2, 10)


def test_a_dialogue_that_outgrows_the_context_is_never_sent() -> None:
    """Of a context of twenty tokens a reply gets what is left, five at most; nothing of the prompt is cut."""
    engine = FakeEngine()
    fits, tight, overflows = _ask(engine, _request(words=13), _request(words=17), _request(words=18))
    assert (fits.text, tight.text) == ("15 5 0", "19 1 0")
    assert isinstance(overflows, ContextOverflowError) and len(engine.ids) == 2


def test_thinking_that_the_template_opens_is_marked() -> None:
    """The reply holds its beginning."""
    (reply,) = _ask(FakeEngine(), _request(), opening="<think>")
    assert reply.text.startswith("<think>\n")


def test_a_refused_request_fails_alone_and_a_dead_engine_stops_the_run() -> None:
    """vLLM raises ValueError for the one, its own errors for the other."""
    (refused,) = _ask(FakeEngine(ValueError("bad params")), _request())
    assert isinstance(refused, RequestError) and "bad params" in str(refused)
    (dead,) = _ask(FakeEngine(EngineDeadError("gone")), _request())
    assert isinstance(dead, InfrastructureError) and "run the same line again" in str(dead)


@pytest.mark.parametrize("ends", ["abort", "error"])
def test_an_answer_that_the_engine_broke_off_is_missing(ends: str) -> None:
    """It is no answer of the model, which would count as wrong."""
    (outcome,) = _ask(FakeEngine(ends=ends), _request())
    assert isinstance(outcome, RequestError) and ends in str(outcome)


def test_the_engine_gets_vllms_own_names() -> None:
    """What is not given is left to vLLM; the model's own sampling settings are switched off."""
    given = {"tensor_parallel_size": 2, "max_num_seqs": 64, "generation_config": "auto"}
    assert VLLMOptions("m", revision="r", engine=given).engine_arguments() == {
        "model": "m",
        "revision": "r",
        "trust_remote_code": False,
        "tensor_parallel_size": 2,
        "max_num_seqs": 64,
        "generation_config": "vllm",
        "enable_prefix_caching": True,
    }


@pytest.mark.parametrize("max_tokens", [None, 3])
def test_without_a_limit_a_reply_may_fill_the_context(max_tokens: int | None) -> None:
    """As vLLM's server has it."""
    template = ChatTemplate(WordTokenizer(), max_length=20, max_tokens=max_tokens)
    assert template.render(_request().messages) == Prompt([5, 1, 1, 10], max_tokens or 16)


def test_without_vllm_its_extra_is_named() -> None:
    """Before anything is loaded; an argument that cannot be is named first."""
    settings = RunSettings()
    with pytest.raises(TurnwiseError, match="needs -a model=NAME_OR_FOLDER"):
        find_back_end("vllm").open(Wanted("dtype=auto", settings=settings))
    with pytest.raises(TurnwiseError, match="tensor_parallel_size is '0'"):
        find_back_end("vllm").open(Wanted("model=m,tensor_parallel_size=0", settings=settings))
    if importlib.util.find_spec("vllm") is not None:
        pytest.skip("vllm is installed")
    with pytest.raises(TurnwiseError, match=r"pip install 'turnwise\[vllm\]'"):
        find_back_end("vllm").open(Wanted("model=m,max_num_seqs=4", settings=settings))
