"""transformers with a tiny model of random weights: batches, seeds, limits, context."""

import asyncio
import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[hf]'")
pytest.importorskip("transformers", reason="transformers is not installed: pip install 'turnwise[hf]'")

from tiny_model import TEMPLATE, make_tiny_model  # noqa: E402 - needs what is skipped for above

from turnwise.errors import TurnwiseError  # noqa: E402 - as above
from turnwise.records.problem import Problem, TestCase  # noqa: E402 - as above
from turnwise.records.settings import Sampling  # noqa: E402 - as above
from turnwise.records.trajectory import Message, Reply  # noqa: E402 - as above
from turnwise.runners.drivers import drive, run_in_lockstep  # noqa: E402 - as above
from turnwise.runners.execution.interface import Executor  # noqa: E402 - as above
from turnwise.runners.judging.judge import Judge  # noqa: E402 - as above
from turnwise.runners.models.hf import HFEngine, HFOptions, SeededChoice  # noqa: E402 - as above
from turnwise.runners.models.sampler import (  # noqa: E402 - as above
    BatchingModel,
    ContextOverflowError,
    Request,
)
from turnwise.tasks.dialogue import Dialogue, DialoguePlan  # noqa: E402 - as above
from turnwise.tasks.prompts import PromptSet  # noqa: E402 - as above
from turnwise.tasks.strategies import multi_turn  # noqa: E402 - as above

SAMPLING = Sampling(temperature=1.0, max_tokens=24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model."""
    return make_tiny_model(tmp_path_factory.mktemp("tiny"))


def _request(number: int, *, words: int = 3, prefill: str = "") -> Request:
    messages = [Message("user", "statement", "statement", f"Problem {number}." + " more" * words)]
    if prefill:
        messages.append(Message("assistant", "prefill", "prefill", prefill))
    return Request("t", f"b/{number}", 0, 0, 0, tuple(messages), 11 + number)


def _engine(folder: Path, sampling: Sampling = SAMPLING, **options: Any) -> HFEngine:
    return HFEngine.load(HFOptions(str(folder), device="cpu", dtype="float32", **options), sampling)


def test_a_reply_does_not_depend_on_its_batch(folder: Path) -> None:
    """Alone or among prompts of other lengths, a seed gives the same text, ids and log-probabilities."""
    engine = _engine(folder, logprobs=True)
    requests = [_request(number, words=5 * number) for number in range(5)]
    together = engine.generate_batch(requests)
    alone = [engine.generate_batch([request])[0] for request in requests]
    for one, other in zip(together, alone, strict=True):
        assert isinstance(one, Reply) and isinstance(other, Reply)
        assert replace(one, logprobs=None) == replace(other, logprobs=None)
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert one.completion_tokens == len(one.token_ids or ()) == len(one.logprobs or ()) <= 24
    assert len({one.text for one in together if isinstance(one, Reply)}) == 5
    other_seed = engine.generate_batch([replace(requests[0], seed=99)])[0]
    assert isinstance(other_seed, Reply) and other_seed.text != together[0].text


def test_logprobs_are_those_of_the_model(folder: Path) -> None:
    """Checked against one forward pass over prompt and answer."""
    engine = _engine(folder, Sampling(temperature=0.7, top_p=0.9, max_tokens=12), logprobs=True)
    request = _request(1)
    (reply,) = engine.generate_batch([request])
    assert isinstance(reply, Reply) and reply.token_ids is not None
    prompt = engine.template.render(request.messages).token_ids
    with torch.inference_mode():
        logits = engine._model(torch.tensor([prompt + list(reply.token_ids)])).logits[0].log_softmax(-1)
    expected = [float(logits[len(prompt) - 1 + at, token]) for at, token in enumerate(reply.token_ids)]
    assert reply.logprobs == pytest.approx(expected, abs=1e-3)
    assert reply.prompt_tokens == len(prompt)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), [0.5, 0.25, 0.125, 0.125]),
        (Sampling(temperature=0.5), [0.727, 0.182, 0.045, 0.045]),
        (Sampling(top_k=2), [2 / 3, 1 / 3, 0.0, 0.0]),
        (Sampling(top_p=0.6), [2 / 3, 1 / 3, 0.0, 0.0]),
        (Sampling(top_p=0.5), [1.0, 0.0, 0.0, 0.0]),
        (Sampling(temperature=0.0), [1.0, 0.0, 0.0, 0.0]),
    ],
    ids=str,
)
def test_tokens_are_drawn_with_their_probabilities(sampling: Sampling, expected: list[float]) -> None:
    """Temperature first, then top-k and top-p, as vLLM does; 4,000 draws within five standard errors."""
    count = 4000
    choice = SeededChoice(sampling, range(count), "cpu")
    logits = torch.tensor([0.5, 0.25, 0.125, 0.125]).log().expand(count, 4)
    drawn = Counter(choice(None, logits).argmax(dim=-1).tolist())
    for token, share in enumerate(expected):
        assert abs(drawn[token] / count - share) <= 5 * math.sqrt(0.25 / count) * (share not in (0.0, 1.0)), drawn


def test_greedy_takes_the_likeliest_token_whatever_the_seed(folder: Path) -> None:
    """temperature=0."""
    engine = _engine(folder, Sampling(temperature=0.0, max_tokens=8))
    first, second = engine.generate_batch([_request(1), replace(_request(1), seed=5)])
    assert first == second


def test_a_dialogue_that_outgrows_the_context_ends_alone(folder: Path) -> None:
    """Nothing is cut; what fits is answered."""
    engine = _engine(folder, max_length=120)
    fits, overflows = engine.generate_batch([_request(0), _request(1, words=40)])
    assert isinstance(fits, Reply) and fits.finish_reason in ("length", "stop")
    assert isinstance(overflows, ContextOverflowError) and "no room for a reply in 120" in str(overflows)


def test_a_prefill_is_continued(folder: Path) -> None:
    """The prompt ends with it, and no new message is begun."""
    engine = _engine(folder)
    template = engine.template
    token_ids = template.render(_request(0, prefill="def f(").messages).token_ids
    text = engine._tokenizer.decode(token_ids)
    assert text.endswith("<|assistant|>def f(")


def test_an_answer_ends_at_a_stop(folder: Path) -> None:
    """The stop itself is left out."""
    (free,) = _engine(folder, Sampling(temperature=1.0, max_tokens=48)).generate_batch([_request(3)])
    assert isinstance(free, Reply)
    stop = free.text[5:6]
    (cut,) = _engine(folder, Sampling(temperature=1.0, max_tokens=48, stop=(stop,))).generate_batch([_request(3)])
    assert isinstance(cut, Reply) and (cut.text, cut.finish_reason) == (free.text[: free.text.index(stop)], "stop")


def test_thinking_that_the_template_opens_is_marked(tmp_path: Path) -> None:
    """So that code in a thought that was cut is not taken for the answer."""
    folder = make_tiny_model(tmp_path, template=TEMPLATE + "{% if add_generation_prompt %}<think>\n{% endif %}")
    (reply,) = _engine(folder).generate_batch([_request(0)])
    assert isinstance(reply, Reply) and reply.text.startswith("<think>\n")


def test_what_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    """No model there, or no chat template."""
    with pytest.raises(TurnwiseError, match="cannot be loaded"):
        _engine(tmp_path / "nothing")
    folder = make_tiny_model(tmp_path / "bare", template="")
    with pytest.raises(TurnwiseError, match="has no chat template"):
        _engine(folder)


@pytest.mark.parametrize(("name", "text"), [("config.json", "[]"), ("tokenizer.json", "{}"), ("config.json", None)])
def test_a_damaged_model_is_one_sentence(tmp_path: Path, name: str, text: str | None) -> None:
    """A file of another kind, or weights of another size than the configuration says."""
    file = make_tiny_model(tmp_path / "damaged") / name
    text = text or json.dumps((config := json.loads(file.read_text())) | {"hidden_size": 2 * config["hidden_size"]})
    file.write_text(text)
    with pytest.raises(TurnwiseError, match="damaged' cannot be loaded"):
        _engine(file.parent)


def _live(folder: Path) -> tuple[Any, Any]:
    import transformers

    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable`:FutureWarning")  # its name before 5.24
def test_a_live_model_answers_as_a_loaded_one_and_is_left_as_it_was(folder: Path) -> None:
    """In the middle of training: its modes, its settings, and what it learns afterwards."""
    model, tokenizer = _live(folder)
    model.config.attention_dropout = 0.9
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.9  # which would spoil every answer
    model.gradient_checkpointing_enable()
    model.config.use_cache = False  # as trainers have it
    model.train()
    model.model.layers[0].eval()
    model.generation_config.repetition_penalty = 7.0
    settings, modes = model.generation_config, [module.training for module in model.modules()]
    options = HFOptions("live", logprobs=True)
    engine = HFEngine(model, tokenizer, options, SAMPLING)
    requests = [_request(number) for number in range(3)]
    assert engine.generate_batch(requests) == _engine(folder, logprobs=True).generate_batch(requests)
    assert engine.description == {"back_end": "hf", "model": "live", "max_length": "4096"}
    assert model.generation_config is settings and [module.training for module in model.modules()] == modes
    broken = HFEngine(model, tokenizer, options, Sampling(stop=("x",)))
    broken._tokenizer = None  # so that it fails in the middle
    with pytest.raises(ValueError, match="tokenizer"):
        broken._generate([engine.template.render(requests[0].messages)], [1])
    assert model.generation_config is settings and [module.training for module in model.modules()] == modes
    model(input_ids=torch.tensor([[1, 2, 3]]), labels=torch.tensor([[1, 2, 3]])).loss.backward()
    assert all(one.grad is not None for one in model.parameters())


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable`:FutureWarning")  # its name before 5.24
def test_a_model_in_training_answers_with_a_cache(folder: Path) -> None:
    """Checkpoints of activations, which keep none in training, do not make it read the prompt again for each token."""
    model, tokenizer = _live(folder)
    model.gradient_checkpointing_enable()
    model.config.use_cache = False
    model.train()
    read: list[int] = []
    model.model.register_forward_pre_hook(
        lambda module, args, given: read.append(given["input_ids"].shape[1]), with_kwargs=True
    )
    (reply,) = HFEngine(model, tokenizer, HFOptions("live"), SAMPLING).generate_batch([_request(1)])
    assert isinstance(reply, Reply) and reply.completion_tokens is not None and reply.completion_tokens > 1
    assert read == [reply.prompt_tokens, *[1] * (reply.completion_tokens - 1)]


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable`:FutureWarning")  # its name before 5.24
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_logprobs_are_those_that_training_computes(folder: Path, dtype: str) -> None:
    """Of float32 weights, multiplied as ``dtype`` both times, to what that rounds; the model still learns."""
    model, tokenizer = _live(folder)
    for parameter in model.parameters():
        parameter.data *= 2.0  # so that tokens are not all alike
    model.gradient_checkpointing_enable({"use_reentrant": False})
    model.train()
    engine = HFEngine(model, tokenizer, HFOptions("live", logprobs=True, one_generator=True), SAMPLING)
    with torch.autocast("cpu", getattr(torch, dtype), enabled=dtype != "float32"):
        replies = engine.generate_batch([_request(number, words=3 * number) for number in range(4)])
        for reply in replies:
            assert isinstance(reply, Reply) and reply.token_ids and reply.prompt_token_ids and reply.logprobs
            ids = torch.tensor([[*reply.prompt_token_ids, *reply.token_ids]])
            logits = model(input_ids=ids, use_cache=False).logits[0, len(reply.prompt_token_ids) - 1 : -1].float()
            learnt = logits.log_softmax(-1).gather(1, torch.tensor(reply.token_ids)[:, None]).squeeze(1)
            assert reply.logprobs == pytest.approx(learnt.tolist(), abs=1e-4 if dtype == "float32" else 0.1)
    learnt.sum().backward()
    assert all(one.dtype == torch.float32 and one.grad is not None for one in model.parameters())


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # which peft asks for
def test_an_adapted_live_model_is_left_as_it_was(folder: Path) -> None:
    """Both the adapter of peft and the model in it."""
    peft = pytest.importorskip("peft", reason="peft is not installed: pip install 'turnwise[train]'")
    inner, tokenizer = _live(folder)
    model = peft.get_peft_model(inner, peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    settings = [one.generation_config for one in (model, inner)]
    (reply,) = HFEngine(model, tokenizer, HFOptions("live"), SAMPLING).generate_batch([_request(1)])
    assert [reply] == _engine(folder).generate_batch([_request(1)])  # a new adapter changes nothing
    assert all(one.generation_config is before for one, before in zip((model, inner), settings, strict=True))


def test_one_generator_serves_a_whole_batch(folder: Path) -> None:
    """The same batch gives the same replies, each its own; the first seed is that of all."""
    engine = _engine(folder, one_generator=True)
    requests = [_request(number) for number in range(4)]
    first = engine.generate_batch(requests)
    assert first == engine.generate_batch([requests[0], *(replace(one, seed=5) for one in requests[1:])])
    assert len({one.text for one in first if isinstance(one, Reply)}) == 4
    assert first != engine.generate_batch([replace(requests[0], seed=99), *requests[1:]])
    count = 4000
    choice = SeededChoice(Sampling(), [3], "cpu", one_generator=True)
    drawn = Counter(choice(None, torch.tensor([0.75, 0.25]).log().expand(count, 2)).argmax(dim=-1).tolist())
    assert abs(drawn[0] / count - 0.75) <= 5 * math.sqrt(0.25 / count)


def test_both_drivers_give_equal_trajectories_that_go_on_from_what_was_sampled(
    folder: Path, executor: Executor
) -> None:
    """But for the last digits of arithmetic; a prompt begins with the ids of the prompt before and of its reply."""
    problems = [Problem(f"b/{name}", "b", "test", f"Say {name}.", (TestCase("", name),), ()) for name in "pq"]
    plan = DialoguePlan("t", multi_turn(3), PromptSet.load(), seed=3)
    engine = _engine(folder, Sampling(temperature=1.0, max_tokens=9), logprobs=True)
    lockstep, asynchronous = ([Dialogue(one, sample, plan) for one in problems for sample in (0, 1)] for _ in "ab")
    judge = Judge(executor)  # nothing is run: random weights write no code
    run_in_lockstep(lockstep, engine, judge)

    async def carry() -> None:
        model = BatchingModel(engine, batch_size=3)
        await asyncio.gather(*(drive(one, model, judge) for one in asynchronous))
        await model.close()

    asyncio.run(carry())
    judge.close()
    trajectories = [one.trajectory() for one in lockstep]
    for one, other in zip(trajectories, (one.trajectory() for one in asynchronous), strict=True):
        calls = [
            (turn.calls[0].reply, again.calls[0].reply) for turn, again in zip(one.turns, other.turns, strict=True)
        ]
        assert all(replace(a, logprobs=None) == replace(b, logprobs=None) for a, b in calls) and len(calls) == 3
        before: tuple[int, ...] = ()
        for reply, _ in calls:
            assert reply.prompt_token_ids is not None and reply.token_ids is not None
            assert reply.prompt_token_ids[: len(before)] == before
            before = (*reply.prompt_token_ids, *reply.token_ids)


def test_requests_that_wait_become_batches(folder: Path) -> None:
    """Through the gate, follow-up turns first, the same replies as one by one."""
    engine: Any = _engine(folder)
    sizes: list[list[int]] = []
    whole = engine.generate_batch

    def generate_batch(requests: Any) -> Any:
        sizes.append([request.turn for request in requests])
        return whole(requests)

    engine.generate_batch = generate_batch
    requests = [replace(_request(number), turn=number % 2) for number in range(10)]

    async def ask() -> list[Reply | None]:
        model = BatchingModel(engine, batch_size=4)
        try:
            return await asyncio.gather(*map(model.generate, requests))
        finally:
            await model.close()

    assert asyncio.run(ask()) == [whole([request])[0] for request in requests]
    assert [len(one) for one in sizes] == [4, 4, 2] and sizes[0] == [1, 1, 1, 1]
