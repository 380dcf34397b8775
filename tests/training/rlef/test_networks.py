"""The policy's log-probabilities, the critic's values and what is saved, on models small enough to compute in full."""

import dataclasses
import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")
transformers = pytest.importorskip("transformers", reason="not installed: pip install 'turnwise[train]'")

from episodes_by_hand import episode, going_on  # noqa: E402 - beside this room's tests
from tiny_model import make_tiny_model  # noqa: E402 - beside the tests of runners

from turnwise.errors import TurnwiseError  # noqa: E402 - after torch is found
from turnwise.records.rlef import RlefSettings  # noqa: E402 - as above
from turnwise.records.settings import Sampling  # noqa: E402 - as above
from turnwise.records.trajectory import Message  # noqa: E402 - as above
from turnwise.runners.models.hf import HFEngine, HFOptions  # noqa: E402 - as above
from turnwise.runners.models.sampler import Request  # noqa: E402 - as above
from turnwise.training.base_model import BaseModel  # noqa: E402 - as above
from turnwise.training.rlef import maths  # noqa: E402 - it needs torch
from turnwise.training.rlef.batches import Batch, Part  # noqa: E402 - it needs torch
from turnwise.training.rlef.networks import Networks  # noqa: E402 - it needs torch
from turnwise.training.rlef.update import Updater  # noqa: E402 - it needs torch

pytestmark = pytest.mark.xdist_group("torch")

EPISODES = [
    episode(going_on([1, 2, 3], [4, 5], [6, 7], [8, 9, 10]), [-0.2, 1.0]),
    episode(going_on([11, 12], [13]), [-1.0]),
]
SETTINGS = RlefSettings(dtype="float32", learning_rate=0.01, warmup_updates=0, minibatches=1)
SMALL = {"vocab_size": 16, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
Make = Callable[..., BaseModel]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return what writes a random model and tells where it is."""

    def made(name: str = "Llama", **settings: Any) -> BaseModel:
        folder = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
        given = {"num_key_value_heads": 1, "bos_token_id": 0, "eos_token_id": [1, 2], "pad_token_id": 0} | settings
        config = getattr(transformers, f"{name}Config")(**SMALL, initializer_range=0.3, **given)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            getattr(transformers, f"{name}ForCausalLM")(config).save_pretrained(folder)
        return BaseModel(str(folder))

    return made


def load(base: BaseModel, **settings: Any) -> Networks:
    """Return the networks on the CPU."""
    return Networks.load(base, dataclasses.replace(SETTINGS, **settings), device="cpu")


def part() -> Part:
    """Return both dialogues as one micro-batch."""
    (result,) = Batch.of(EPISODES).parts([0, 1], tokens_at_a_time=100)
    return result


def in_full(model: Any) -> "torch.Tensor":
    """Return the log-probabilities of what both dialogues' models said, each alone, of all logits."""
    result = []
    for dialogue in EPISODES:
        prompt, reply = dialogue.calls[-1].reply.prompt_token_ids, dialogue.calls[-1].reply.token_ids
        assert prompt is not None and reply is not None
        ids = torch.tensor([[*prompt, *reply]])
        logs = model(input_ids=ids).logits[0].log_softmax(dim=-1)
        begins = [len(call.reply.prompt_token_ids or ()) for call in dialogue.calls]
        for begin, call in zip(begins, dialogue.calls, strict=True):
            result += [logs[begin + at - 1, token] for at, token in enumerate(call.reply.token_ids or ())]
    return torch.stack(result)


MODELS: list[tuple[str, dict[str, Any]]] = [
    ("Llama", {}),
    ("Gemma2", {"head_dim": 4, "final_logit_softcapping": 1.0}),
    ("Granite", {"logits_scaling": 3.0}),
    ("Qwen2", {"tie_word_embeddings": True}),
]


@pytest.mark.parametrize(("name", "settings"), MODELS, ids=[name for name, _ in MODELS])
def test_log_probabilities_are_those_of_all_logits(make: Make, name: str, settings: dict[str, Any]) -> None:
    """Of models that cap or scale their logits as well; the output layer sees the sampled tokens' places alone."""
    base = make(name, **settings)
    networks, model = load(base), transformers.AutoModelForCausalLM.from_pretrained(base.name)
    seen: list[tuple[int, ...]] = []
    head = networks.policy.get_output_embeddings()
    head.register_forward_hook(lambda _, inputs, __: seen.append(tuple(inputs[0].shape)))
    result = networks.log_probabilities(part())
    assert torch.allclose(result, in_full(model), atol=1e-5)
    assert seen == [(1, 6, 8)]
    logs, entropies = networks.log_probabilities_and_entropies(part())
    assert torch.equal(logs, result) and not logs.requires_grad and bool((entropies > 0).all())
    assert torch.allclose(networks.reference_log_probabilities(part()), result, atol=1e-6)


def test_a_model_without_one_output_layer_is_refused(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its logits could not be made for some tokens alone; a sentence names it."""
    base = make()
    monkeypatch.setattr(transformers.LlamaForCausalLM, "get_output_embeddings", lambda _: None)
    with pytest.raises(TurnwiseError, match=r"'.*Llama-0' does not make its logits by one output layer"):
        load(base)
    with pytest.raises(TurnwiseError, match="cannot be loaded"):
        load(BaseModel(f"{base.name}-none"))


def test_logits_in_parts_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log-probabilities, their gradient and entropies are those of all logits at once."""
    logits = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    chosen = torch.tensor([0, 1, 2, 3, 4, 0, 1])
    whole = logits.clone().requires_grad_()
    expected = whole.log_softmax(dim=-1)[torch.arange(7), chosen]
    (expected * torch.arange(7)).sum().backward()
    for at_a_time in (1, 10, 10**6):
        monkeypatch.setattr(maths, "LOGITS_AT_A_TIME", at_a_time)
        given = logits.clone().requires_grad_()
        result = maths.log_probabilities(given, chosen)
        (result * torch.arange(7)).sum().backward()
        assert torch.allclose(result, expected) and torch.allclose(given.grad, whole.grad)
        assert torch.allclose(maths.entropies(logits), -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1))


def test_a_value_is_read_at_the_last_prompt_token(make: Make) -> None:
    """It is the head's, of the hidden state of a body of its own, and knows nothing of the reply."""
    base = make()
    networks, body = load(base), transformers.AutoModelForCausalLM.from_pretrained(base.name).model
    assert networks.critic is not None
    result = networks.values(part(), part().call_places)
    head = networks.critic.head
    for value, prompt in zip(result, ([1, 2, 3], [1, 2, 3, 4, 5, 6, 7], [11, 12]), strict=True):
        hidden = body(input_ids=torch.tensor([prompt])).last_hidden_state[0, -1]
        assert torch.allclose(value, head.weight[0] @ hidden + head.bias[0], atol=1e-5)
    assert not torch.equal(load(base, seed=1).state()["critic.head.weight"], head.weight)
    assert torch.equal(load(base).state()["critic.head.weight"], head.weight)
    assert load(base, value="none").critic is None


def test_padding_is_never_read(make: Make) -> None:
    """Other ids behind a row's end leave log-probabilities, values and gradients as they are, bit for bit."""
    networks = load(make())
    given = part()
    other = dataclasses.replace(given, ids=torch.where(given.attention > 0, given.ids, 14))
    assert not torch.equal(other.ids, given.ids)
    result = []
    for each in (given, other):
        logs, values = networks.log_probabilities(each), networks.values(each, each.call_places)
        (logs.sum() + values.sum()).backward()
        gradients = [weight.grad for weights in networks.parameters().values() for weight in weights]
        result.append([logs.detach(), values.detach(), *(gradient.clone() for gradient in gradients)])
        for weights in networks.parameters().values():
            for weight in weights:
                weight.grad = None
    assert all(torch.equal(*pair) for pair in zip(*result, strict=True))


def test_what_was_sampled_has_the_same_chance_when_it_is_learnt(tmp_path: Path) -> None:
    """Sampled with a cache behind padding on the left, learnt with padding on the right: less than 0.001 apart."""
    base = BaseModel(str(make_tiny_model(tmp_path / "tiny")))
    networks = load(base)
    tokenizer = transformers.AutoTokenizer.from_pretrained(base.name)
    engine = HFEngine(
        networks.policy,
        tokenizer,
        HFOptions(base.name, one_generator=True, logprobs=True),
        Sampling(temperature=1.0, max_tokens=12),
    )
    texts = ("Add two numbers.", "Say no.", "Write a program that reads a number and prints its square.")
    first = [Message("user", "statement", "s", text) for text in texts]
    again = Message("user", "feedback", "f", "Wrong. Try again.")
    asked = [Request("t", "p", number, 0, 0, (message,), seed=7) for number, message in enumerate(first)]
    replies: list[Any] = engine.generate_batch(asked)
    more = [
        dataclasses.replace(
            request,
            messages=(*request.messages, Message("assistant", "reply", "", reply.text), again),
            after=reply.context,
        )
        for request, reply in zip(asked, replies, strict=True)
    ]
    later: list[Any] = engine.generate_batch(more)
    episodes = [
        episode(
            [(reply.prompt_token_ids, reply.token_ids) for reply in pair],
            [0.0, 1.0],
            logprobs=[reply.logprobs for reply in pair],
        )
        for pair in zip(replies, later, strict=True)
    ]
    figures = Updater(networks, SETTINGS, device="cpu").update(episodes, iteration=1)
    assert 0 <= figures.logprob_gap < 1e-3 and figures.weight > 0.999


def _logits(model: Any) -> "torch.Tensor":
    with torch.no_grad():
        return model.eval()(input_ids=part().ids).logits.float()


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_policy_is_saved_whole_and_stays_as_it_is(make: Make, tmp_path: Path, rank: int, dtype: str) -> None:
    """Adapters are merged into what is written, in the type of training; anybody who may read the folder reads it."""
    base = make()
    transformers.GenerationConfig(eos_token_id=[1, 2], max_new_tokens=7).save_pretrained(base.name)
    networks = load(base, lora_rank=rank, dtype=dtype)
    Updater(networks, dataclasses.replace(SETTINGS, lora_rank=rank, dtype=dtype), device="cpu").update(
        EPISODES, iteration=1
    )
    before = {name: tensor.clone() for name, tensor in networks.state().items()}
    names = [name for name, _ in networks.policy.named_parameters()]
    networks.save_policy(out := tmp_path / "out")
    assert all(torch.equal(tensor, before[name]) for name, tensor in networks.state().items())
    assert [name for name, _ in networks.policy.named_parameters()] == names
    saved = transformers.AutoModelForCausalLM.from_pretrained(out)
    assert saved.dtype == getattr(torch, dtype) and saved.generation_config.max_new_tokens == 7
    assert torch.allclose(_logits(saved.float()), _logits(networks.policy), atol=1e-5 if dtype == "float32" else 0.2)
    fresh = transformers.AutoModelForCausalLM.from_pretrained(base.name)
    assert not torch.allclose(_logits(saved), _logits(fresh), atol=1e-4)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()}
    assert len(modes) == 1 and {path.name for path in out.glob("*adapter*")} == set()


def test_tied_weights_are_saved_once(make: Make, tmp_path: Path) -> None:
    """What transformers finds tied in the model stays so in the file."""
    from safetensors import safe_open

    networks = load(make("Qwen2", tie_word_embeddings=True), dtype="bfloat16")
    networks.save_policy(tmp_path / "out")
    with safe_open(tmp_path / "out" / "model.safetensors", framework="pt") as file:
        assert "lm_head.weight" not in set(file.keys()) and file.get_tensor("model.norm.weight").dtype == torch.bfloat16


def test_the_reference_of_adapters_is_the_policy_without_them(make: Make) -> None:
    """It stays where training began while the policy moves, and no second model is held for it."""
    settings = dataclasses.replace(SETTINGS, lora_rank=2)
    networks = load(make(), lora_rank=2)
    began = networks.log_probabilities(part()).detach()
    updater = Updater(networks, settings, device="cpu")
    assert abs(updater.update(EPISODES, iteration=1).kl) < 1e-6
    assert torch.allclose(networks.reference_log_probabilities(part()), began, atol=1e-6)
    assert not torch.allclose(networks.log_probabilities(part()), began, atol=1e-3)
    assert {name.split(".")[0] for name in networks.state()} == {"policy", "critic"}
    assert all("lora" in name or name.startswith("critic.head") for name in networks.state())


def test_adapters_and_the_head_follow_from_the_seed_alone(make: Make) -> None:
    """Whatever torch's own generator is at, the same seed draws the same ones, and another seed others."""
    base, states = make(), []
    for own, seed in ((1, 0), (2, 0), (1, 3)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(own)
            states.append(load(base, lora_rank=2, seed=seed).state())
    first, same, other = states
    assert all(torch.equal(tensor, same[name]) for name, tensor in first.items())
    for name in ("critic.head.weight", next(name for name in first if "lora_A" in name)):
        assert not torch.equal(first[name], other[name])


def test_nothing_is_dropped_at_random_and_what_is_saved_says_what_the_model_said(make: Make, tmp_path: Path) -> None:
    """Dropout would make each log-probability another; the model that is made keeps its setting."""
    networks = load(make(attention_dropout=0.5))
    assert networks.policy.training
    assert torch.equal(networks.log_probabilities(part()), networks.log_probabilities(part()))
    networks.save_policy(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["attention_dropout"] == 0.5


@pytest.mark.parametrize("rank", [0, 2])
def test_no_random_number_of_others_is_taken(make: Make, tmp_path: Path, rank: int) -> None:
    """Loading, learning and saving leave torch's generator as they find it."""
    base = make()
    before = torch.get_rng_state()
    networks = load(base, lora_rank=rank)
    Updater(networks, dataclasses.replace(SETTINGS, lora_rank=rank), device="cpu").update(EPISODES, iteration=1)
    networks.save_policy(tmp_path / "out")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_state_of_other_networks_is_refused(make: Make) -> None:
    """By its names or its shapes, before anything is set."""
    networks = load(make())
    before = {name: tensor.clone() for name, tensor in networks.state().items()}
    with pytest.raises(ValueError, match="of other networks"):
        networks.load_state(load(make(), value="none").state())
    with pytest.raises(ValueError, match="has the shape"):
        networks.load_state({name: tensor[:1] for name, tensor in before.items()})
    assert all(torch.equal(tensor, before[name]) for name, tensor in networks.state().items())
