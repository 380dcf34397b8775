"""GRPO of TRL over turnwise's environment: a few steps of a tiny model on the CPU."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_training import SETTINGS, ToyTraining

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")
pytest.importorskip("trl", reason="trl is not installed: pip install 'turnwise[train]'")

from tiny_model import make_tiny_model  # noqa: E402 - needs what is skipped for above

from turnwise.errors import TurnwiseError  # noqa: E402 - as above
from turnwise.training.engines.trl import grpo_trainer, rollout_function  # noqa: E402 - as above

OF_TEST = replace(
    SETTINGS,
    iterations=2,
    rollouts=4,
    group=2,
    max_length=4096,
    max_reply_tokens=4,
    learning_rate=1e-3,
    warmup_updates=0,
)


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of random weights, whose prompts are bytes."""
    return make_tiny_model(tmp_path_factory.mktemp("model"))


def load(folder: Path) -> tuple[Any, Any]:
    """Return the model and its tokenizer."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")  # what trl 1.16 calls of transformers
def test_a_few_steps_of_grpo(toy: ToyTraining, model: Path, tmp_path: Path) -> None:
    """Weights change, no number is lost, rewards are those of dialogues in which nothing was right: -1.4."""
    policy, tokenizer = load(model)
    before = {name: weight.detach().clone() for name, weight in policy.named_parameters()}
    trainer = grpo_trainer(policy, tokenizer, toy.environments, OF_TEST, output=tmp_path, use_cpu=True, bf16=False)
    trainer.train()
    logs = [line for line in trainer.state.log_history if "reward" in line]
    assert trainer.state.global_step == 2 and len(logs) == 2
    assert all(line["reward"] == pytest.approx(-1.4) for line in logs)
    assert all(math.isfinite(line["loss"]) for line in logs)
    assert all(torch.isfinite(weight).all() for weight in policy.parameters())
    assert any(not torch.equal(weight, before[name]) for name, weight in policy.named_parameters())


def test_what_is_rolled_out_is_token_exact(toy: ToyTraining, model: Path) -> None:
    """The mask is of the sampled tokens, which have log-probabilities; the rest is the template's and the feedback."""
    policy, tokenizer = load(model)

    class Trainer:
        class accelerator:  # noqa: N801 - as TRL's trainer has it
            unwrap_model = staticmethod(lambda wrapped: wrapped)

        class state:  # noqa: N801 - as above
            global_step = 0

    trainer: Any = Trainer()
    trainer.model, trainer.processing_class = policy, tokenizer
    found = rollout_function(toy.environments, OF_TEST)(["toy_train/mul-7-told", "toy_train/add-3-told"], trainer)
    for prompt, ids, mask, logprobs in zip(
        found["prompt_ids"], found["completion_ids"], found["env_mask"], found["logprobs"], strict=True
    ):
        assert len(ids) == len(mask) == len(logprobs)
        text = tokenizer.decode(prompt)
        assert text.startswith("<|user|>") and text.endswith("<|assistant|>")
        assert mask[0] == 1 and sum(mask) <= 3 * OF_TEST.max_reply_tokens
        assert all((chance < 0) == bool(sampled) for chance, sampled in zip(logprobs, mask, strict=True))
        runs = sum(now and not before for before, now in zip([0, *mask], mask, strict=False))
        assert runs == 3
        with torch.no_grad():
            logits = policy(input_ids=torch.tensor([prompt + ids])).logits[0].log_softmax(-1)
        sampled = [place for place, is_sampled in enumerate(mask) if is_sampled]
        again = [logits[len(prompt) + place - 1, ids[place]].item() for place in sampled]
        assert [logprobs[place] for place in sampled] == pytest.approx(again, abs=1e-4)
    assert found["episode_reward"] == pytest.approx([-1.4, -1.4])


def test_a_group_of_one_is_refused(toy: ToyTraining, tmp_path: Path) -> None:
    """GRPO has nothing to compare it with."""
    with pytest.raises(TurnwiseError, match="The group is 1"):
        grpo_trainer(None, None, toy.environments, replace(OF_TEST, group=1), output=tmp_path)
