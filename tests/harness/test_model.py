"""A model of lm_eval as a sampler: each trap of its back ends, on models that are fakes of this file."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="lm_eval is not installed: pip install 'turnwise[lm-eval]'")

from turnwise.errors import TurnwiseError
from turnwise.harness.back_end import PLAIN_STOP
from turnwise.harness.model import LmSampler, call_seed
from turnwise.harness.replies import KeptReplies, name_of, open_replies
from turnwise.records.trajectory import Message, Reply
from turnwise.runners.models.sampler import ContextOverflowError, Request, RequestError

GENERATION = {"max_gen_toks": 16, "temperature": 0.5, "until": []}


class FakeModel:
    """Answers with ``answer(prompt, options)``; ``batches`` are the prompts of each call, ``options`` the first's."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], str], *, tells: bool = False) -> None:
        self._answer = answer
        self._tells = tells
        self.cache_hook: Any = None
        self.batches: list[list[str]] = []
        self.options: list[dict[str, Any]] = []

    def generate_until(self, instances: Sequence[Any]) -> list[str]:
        """Answer all, or raise what answering one of them raises."""
        assert instances, "lm_eval's models cannot take an empty batch"
        prompts = [one.args[0] for one in instances]
        self.batches.append(prompts)
        self.options += [one.args[1] for one in instances]
        assert all(len(one.args) == 2 for one in instances)
        found = []
        for one in instances:
            text = self._answer(*one.args)
            if self._tells:
                self.cache_hook.add_partial("generate_until", one.args, text)
            found.append(text)
        return found

    def apply_chat_template(self, chat: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Return the chat as JSON."""
        return json.dumps(chat) + ("+" if add_generation_prompt else "")


def api_model(**arguments: Any) -> FakeModel:
    """Return a fake that has the name of lm_eval's API models."""
    kind = type("TemplateAPI", (FakeModel,), {"__module__": "lm_eval.models.api_models", "tokenized_requests": False})
    model: FakeModel = kind(**arguments)
    return model


def _requests(*texts: str, sample: int = 0) -> list[Request]:
    return [Request("t", text, sample, 0, 0, (Message("user", "statement", "statement", text),), 5) for text in texts]


def _sampler(model: FakeModel, *, database: Any = None, seed: int | None = 0, **generation: Any) -> LmSampler:
    kept = KeptReplies(database, name_of(model))
    return LmSampler(model, {**GENERATION, **generation}, chat=False, seed=seed, kept=kept)


class StatusError(Exception):
    """What an HTTP library raises for a status."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(f"{status} {text}")
        self.status = status


def _fail(word: str, error: Exception) -> Callable[[str, dict[str, Any]], str]:
    def answer(prompt: str, options: dict[str, Any]) -> str:
        if word in prompt:
            raise error
        return f"to {prompt.splitlines()[1]}"

    return answer


def test_a_request_that_fails_is_found_by_halving() -> None:
    """The others are answered, and what was told of before the batch failed is not asked again."""
    model = FakeModel(_fail("f", StatusError(400)), tells=True)
    outcomes = _sampler(model).generate_batch(_requests(*"abcdefgh"))
    assert [one.text[-1] if isinstance(one, Reply) else type(one) for one in outcomes] == [
        *"abcde",
        RequestError,
        *"gh",
    ]
    asked = [prompt for batch in model.batches for prompt in batch]
    assert len([one for one in asked if "\na\n" in one]) == 1


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("This model's maximum context length is 4096 tokens", ContextOverflowError),
        ("prompt is too long: 9000 tokens", ContextOverflowError),
        ("unknown field", RequestError),
    ],
)
def test_a_refusal_for_the_length_is_an_overflow(text: str, end: type[Exception]) -> None:
    """It is an outcome of the model; another refusal is a failed request."""
    found = _sampler(FakeModel(_fail("b", StatusError(400, text)))).generate_batch(_requests("a", "b"))
    assert isinstance(found[1], end)


@pytest.mark.parametrize(
    ("error", "calls"),
    [(StatusError(401), 2), (ConnectionError("refused"), 11), (StatusError(400, "no such model"), 11)],
)
def test_a_model_that_answers_nothing_stops_the_run(error: Exception, calls: int) -> None:
    """With one sentence, after a few requests and not after all of them."""
    model = FakeModel(_fail("", error))
    with pytest.raises(TurnwiseError, match=r"The model does not answer .* run the same line again"):
        _sampler(model).generate_batch(_requests(*map(str, range(64))))
    assert len(model.batches) <= calls


def test_a_limit_that_no_request_fits_is_no_failure_of_the_model() -> None:
    """A server that refuses the very first requests for their length is asked for too much: the run stops."""
    model = FakeModel(_fail("", StatusError(400, "maximum context length is 16 tokens")))
    with pytest.raises(TurnwiseError, match="maximum context length is 16 tokens"):
        _sampler(model).generate_batch(_requests(*"abcdefgh"))


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_model_that_stops_answering_takes_nothing_with_it(is_kept: bool) -> None:
    """Where replies are kept the run stops, to be gone on with; where not, what was answered is scored."""
    sampler = _sampler(FakeModel(_fail("x", ConnectionError("gone"))), database={} if is_kept else None)
    sampler.generate_batch(_requests("a", "b"))
    requests = _requests("c", *(f"x{number}" for number in range(32)))
    if is_kept:
        with pytest.raises(TurnwiseError, match="The model does not answer"):
            sampler.generate_batch(requests)
    else:
        outcomes = sampler.generate_batch(requests)
        assert isinstance(outcomes[0], Reply) and all(isinstance(one, RequestError) for one in outcomes[1:])
        assert "ConnectionError: gone" in sampler.first_error


def test_one_bad_request_among_good_ones_never_stops_the_run() -> None:
    """However often requests are refused, as long as others are answered."""
    sampler = _sampler(FakeModel(_fail("x", StatusError(400))))
    for _ in range(3):
        outcomes = sampler.generate_batch(_requests("a", "x1", "x2", "x3", "x4", "b"))
        assert [isinstance(one, Reply) for one in outcomes] == [True, False, False, False, False, True]


def test_seeds_differ_by_sample_and_turn_and_not_by_problem() -> None:
    """API models get one for each; batches stay whole."""
    model = api_model(answer=lambda prompt, options: "")
    requests = [*_requests("a", "b", sample=0), *_requests("a", "b", sample=1)]
    _sampler(model, seed=7).generate_batch(requests)
    seeds = [one["seed"] for one in model.options]
    assert seeds[0] == seeds[1] != seeds[2] == seeds[3]
    assert seeds[0] == call_seed(7, requests[0]) != call_seed(8, requests[0])
    assert call_seed(7, requests[0]) != call_seed(7, Request("t", "a", 0, 1, 0, (), 0))


def test_no_seed_where_it_is_refused_or_not_wanted() -> None:
    """Hugging Face's models know no seed; without one of ours the server draws its own, not lm_eval's 1234."""
    local, server = FakeModel(lambda prompt, options: ""), api_model(answer=lambda prompt, options: "")
    for model in (local, server):
        _sampler(model, seed=None).generate_batch(_requests("a"))
    assert "seed" not in local.options[0]
    assert server.options[0]["seed"] is None


@pytest.mark.parametrize(("temperature", "expected"), [(0.5, True), (0, False)])
def test_a_temperature_is_sampled_with(temperature: float, expected: bool) -> None:
    """Hugging Face's models are greedy unless they are told to sample."""
    model = FakeModel(lambda prompt, options: "")
    _sampler(model, temperature=temperature).generate_batch(_requests("a"))
    assert model.options[0]["do_sample"] is expected


def test_equal_requests_keep_their_own_replies() -> None:
    """Two samples with the same prompt and no seed get the two replies, in memory and in the database alike."""
    texts = iter(["one", "two", "three"])
    model = FakeModel(lambda prompt, options: next(texts), tells=True)
    database: dict[str, str] = {}
    requests = [_requests("a", sample=sample)[0] for sample in range(3)]
    outcomes = _sampler(model, database=database).generate_batch(requests)
    assert sorted(one.text for one in outcomes if isinstance(one, Reply)) == ["one", "three", "two"]
    again = _sampler(FakeModel(_fail("", AssertionError())), database=database).generate_batch(requests)
    assert again == outcomes


def test_kept_replies_are_of_one_model_and_one_way_of_asking() -> None:
    """Another model, temperature or seed is asked anew."""
    database: dict[str, str] = {}
    first = FakeModel(lambda prompt, options: "old")
    _sampler(first, database=database).generate_batch(_requests("a"))
    asked: list[str] = []
    second: Any = api_model(answer=lambda prompt, options: asked.append(prompt) or "new")
    second.model = "other"
    for options in ({}, {}, {"temperature": 1.0}, {"seed": 3}):
        _sampler(second, database=database, **options).generate_batch(_requests("a"))
    assert len(asked) == 3


def test_another_number_of_ranks_goes_on(tmp_path: Path) -> None:
    """What any rank was answered is not asked again by another; each writes to its own file only."""
    from sqlitedict import SqliteDict

    requests = _requests("a", "b")
    for rank in (1, 0, 0):
        model = FakeModel(_fail("\na\n", AssertionError()) if rank == 0 else _fail("-", AssertionError()))
        with closing(SqliteDict(str(tmp_path / f"r [x]_rank{rank}.db"), autocommit=True)) as database:
            model.cache_hook = SimpleNamespace(dbdict=database)
            with open_replies(model) as kept:
                sampler = LmSampler(model, GENERATION, chat=False, seed=0, kept=kept)
                outcomes = sampler.generate_batch(requests[: 2 - rank])
            assert all(isinstance(one, Reply) for one in outcomes)
            assert len(database) == 1
    assert model.batches == []


def test_text_is_kept_as_it_is() -> None:
    """NUL bytes and lone surrogates too."""
    database: dict[str, str] = {}
    text = "a\0b\ud800```"
    for _ in range(2):
        (outcome,) = _sampler(FakeModel(lambda prompt, options: text), database=database).generate_batch(_requests("a"))
        assert outcome == Reply(text, finish_reason="unknown")


def test_a_dialogue_that_outgrows_the_context_is_not_sent() -> None:
    """lm_eval would cut its beginning off unsaid; where a tokenizer counts, it ends as the model's failure."""
    model: Any = FakeModel(lambda prompt, options: "ok")
    model.tok_encode = lambda text: list(range(len(text)))
    model.max_length = 100
    outcomes = _sampler(model).generate_batch(_requests("short", "long" * 50))
    assert isinstance(outcomes[0], Reply) and isinstance(outcomes[1], ContextOverflowError)
    assert [len(batch) for batch in model.batches] == [1]
    used = len(model.batches[0][0])
    for reply, fits in ((100 - used, True), (101 - used, False)):  # the reply has to fit as well
        (outcome,) = _sampler(model, max_gen_toks=reply).generate_batch(_requests("short"))
        assert isinstance(outcome, Reply) is fits
    with pytest.raises(TurnwiseError, match="max_gen_toks is 100, and the model's context holds 100 tokens"):
        _sampler(model, max_gen_toks=100)


def test_a_model_without_a_template_gets_plain_text() -> None:
    """With a stop that keeps it from writing the user's next message, too."""
    model = FakeModel(lambda prompt, options: "")
    _sampler(model, until=["###"]).generate_batch(_requests("Add."))
    assert model.batches == [["User:\nAdd.\n\nAssistant:\n"]]
    assert model.options[0]["until"] == ["###", PLAIN_STOP]


def test_a_missing_template_is_one_sentence() -> None:
    """Before anything is asked."""
    model: Any = FakeModel(lambda prompt, options: "")

    def refuse(chat: Any, add_generation_prompt: bool = True) -> str:
        raise ValueError("tokenizer.chat_template is not set")

    model.apply_chat_template = refuse
    sampler = LmSampler(model, GENERATION, chat=True, seed=0, kept=KeptReplies(None, ""))
    with pytest.raises(TurnwiseError, match=r"--apply_chat_template: .*chat_template is not set.*leave the option out"):
        sampler.generate_batch(_requests("a"))
    assert model.batches == []


def test_a_dialogue_that_its_template_refuses_later_ends_alone() -> None:
    """A template that takes the first turn and not what was said since leaves the other dialogues alone."""
    model: Any = FakeModel(lambda prompt, options: "")
    own = model.apply_chat_template

    def refuse(chat: Any, add_generation_prompt: bool = True) -> str:
        if "odd" in str(chat):
            raise ValueError("odd")
        return own(chat, add_generation_prompt)

    model.apply_chat_template = refuse
    sampler = LmSampler(model, GENERATION, chat=True, seed=0, kept=KeptReplies(None, ""))
    sampler.generate_batch(_requests("a", "b"))
    outcomes = sampler.generate_batch(_requests("odd", "b"))
    assert isinstance(outcomes[0], RequestError) and isinstance(outcomes[1], Reply)


def test_neighbours_of_one_role_are_one_message() -> None:
    """Many templates refuse two messages of the user in a row; an answer's beginning stays the last message."""
    messages = (
        Message("system", "system", "", "Be brief."),
        Message("user", "statement", "", "Add."),
        Message("user", "instruction", "", "In Python."),
        Message("assistant", "prefill", "", "def add("),
    )
    model = FakeModel(lambda prompt, options: "")
    sampler = LmSampler(model, GENERATION, chat=True, seed=0, kept=KeptReplies(None, ""))
    sampler.generate_batch([Request("t", "p", 0, 0, 0, messages, 0)])
    assert json.loads(model.batches[0][0]) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Add.\n\nIn Python."},
        {"role": "assistant", "content": "def add("},
    ]


@pytest.mark.parametrize(("chat", "message"), [(False, "give --apply_chat_template"), (True, "prefill begins the mod")])
def test_chat_only_models_say_what_they_cannot(chat: bool, message: str) -> None:
    """Plain text, and going on with an answer that was begun."""
    kind = type("LocalChatCompletion", (FakeModel,), {"__module__": "lm_eval.models.openai_completions"})
    request = Request("t", "p", 0, 0, 0, (Message("assistant", "prefill", "", "def add("),), 0)
    with pytest.raises(TurnwiseError, match=message):
        LmSampler(
            kind(lambda prompt, options: ""), GENERATION, chat=chat, seed=0, kept=KeptReplies(None, "")
        ).generate_batch([request])
