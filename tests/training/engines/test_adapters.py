"""What the adapters do where SkyRL and verl call them, over stand-ins for the engines: those need an accelerator.

That the real ones call them so, and with these parameters, is what test_wheels.py holds against their source.
"""

import asyncio
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from engine_training import ToyTraining

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")

from turnwise.errors import InfrastructureError  # noqa: E402 - needs what is skipped for above
from turnwise.training.engines import environments  # noqa: E402 - as above
from turnwise.training.engines.environments import OpenedEnvironments  # noqa: E402 - as above
from turnwise.training.environment import CodeEnvironment, Info, Step  # noqa: E402 - as above

FOLDER = "/a/folder"
MASK = [[1.0, 1, 0, 0, 1], [1, 0, 0, 0, 0]]


def stand_in(monkeypatch: pytest.MonkeyPatch, name: str, **members: object) -> None:
    """Make a module importable, and the packages it lies in."""
    parts = name.split(".")
    for length in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:length]), ModuleType(".".join(parts[:length])))
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


def imported(monkeypatch: pytest.MonkeyPatch, name: str) -> Any:
    """Return an adapter's module, made anew over what is stood in for, and forgotten afterwards."""
    for one in (name, "turnwise.training.engines.gym") if name.endswith("skyrl") else (name,):
        monkeypatch.delitem(sys.modules, one, raising=False)
        module = importlib.import_module(one)
        monkeypatch.setitem(sys.modules, one, module)
    return sys.modules[name]


class Batch(dict[str, Any]):
    """SkyRL's batch: tensors by name, and metadata."""

    def __init__(self, **tensors: Any) -> None:
        super().__init__(tensors)
        self.metadata: dict[str, Any] = {"avg_response_length": 3.0}

    def to(self, device: str) -> "Batch":
        assert device == "cpu"
        return self


class SkyRLTrainer:
    """SkyRL's trainer, as far as the adapter calls it."""

    def __init__(self, cfg: Any) -> None:
        self.cfg, self.all_metrics, self.trained = cfg, {}, []  # type: ignore[var-annotated]

    def _execute_training_step(self, model: str, data: Batch) -> dict[str, float]:
        self.trained.append((model, data["loss_mask"].tolist()))
        if model == "broken":
            raise RuntimeError("out of memory")
        return {"loss": 1.0}


class SkyRLGenerator:
    """SkyRL's generator."""

    def __init__(self, **parts: Any) -> None:
        self.parts = parts

    def _post_process_agent_loop_output(self, output: Any, extras: Any, trajectory: Any) -> Any:
        del extras, trajectory
        return output


@pytest.fixture
def skyrl(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The adapter over a SkyRL that does nothing."""
    skyrl_gym = SimpleNamespace(registry={}, registered=[])
    stand_in(monkeypatch, "ray", remote=lambda **_: lambda function: function)
    stand_in(monkeypatch, "omegaconf", OmegaConf=object)
    stand_in(monkeypatch, "skyrl.train.config.config", SkyRLTrainConfig=object)
    stand_in(
        monkeypatch,
        "skyrl.backends.skyrl_train.inference_servers.utils",
        resolve_policy_model_name=lambda cfg: f"policy of {cfg.name}",
    )
    base = type("BasePPOExp", (), {"__init__": lambda self, cfg: setattr(self, "cfg", cfg)})
    stand_in(monkeypatch, "skyrl.train.entrypoints.main_base", BasePPOExp=base)
    stand_in(monkeypatch, "skyrl.train.generators.skyrl_gym_generator", SkyRLGymGenerator=SkyRLGenerator)
    stand_in(monkeypatch, "skyrl.train.trainer", RayPPOTrainer=SkyRLTrainer)
    stand_in(monkeypatch, "skyrl.train.utils.utils", initialize_ray=None, validate_cfg=None)
    stand_in(monkeypatch, "skyrl_gym.envs.base_text_env", BaseTextEnv=object, BaseTextEnvStepOutput=dict)
    stand_in(monkeypatch, "skyrl_gym", **vars(skyrl_gym))
    yield imported(monkeypatch, "turnwise.training.engines.skyrl")
    monkeypatch.undo()
    for name in ("skyrl", "gym"):
        sys.modules.pop(f"turnwise.training.engines.{name}", None)


def configured(beta: float = 0.05) -> Any:
    """Return the part of SkyRL's configuration that the trainer reads."""
    algorithm = SimpleNamespace(kl_loss_coef=beta, gamma=1.0, lambd=1.0)
    return SimpleNamespace(trainer=SimpleNamespace(algorithm=algorithm))


def batch() -> Batch:
    """Return two dialogues, of two replies and of one, and a row of padding as SkyRL makes it of the first."""
    rewards = torch.tensor([[0, -0.2, 0, 0, 1], [-1, 0, 0, 0, 0]])
    made = Batch(
        loss_mask=torch.tensor([*MASK, [0.0] * 5]),
        rewards=torch.cat([rewards, rewards[:1]]),
        values=torch.full((3, 5), 0.5),
        action_log_probs=torch.full((3, 5), -1.0),
        base_action_log_probs=torch.full((3, 5), -1.4),
    )
    made.metadata["pad_size"] = 1
    return made


def test_skyrls_trainer_learns_replies(skyrl: Any) -> None:
    """The KL is charged once a reply; advantages are white; the critic's mask is of first tokens, and put back."""
    trainer, data = skyrl.RLEFTrainer(configured()), batch()
    data = trainer.compute_advantages_and_returns(trainer.apply_reward_kl_penalty(data))
    expected = [[0.76, 0.76, 0, 0, 0.98], [-1.02, 0, 0, 0, 0], [0] * 5]
    torch.testing.assert_close(data["returns"], torch.tensor(expected))
    replies = data["advantages"][:2][torch.tensor([[1, 0, 0, 0, 1], [1, 0, 0, 0, 0]]) > 0]
    assert replies.mean().item() == pytest.approx(0, abs=1e-6) and replies.std().item() == pytest.approx(1, abs=1e-4)
    assert trainer.all_metrics["loss/replies"] == 3 and trainer.all_metrics["loss/spoiled"] == 0
    assert trainer.all_metrics["loss/avg_final_rewards"] == pytest.approx((0.76 - 1.02) / 2)
    for model in ("critic", "policy"):
        assert trainer._execute_training_step(model, data) == {"loss": 1.0}
    padding = [0.0] * 5
    assert trainer.trained == [
        ("critic", [[1, 0, 0, 0, 1], [1, 0, 0, 0, 0], padding]),
        ("policy", [*MASK, padding]),
    ]


def test_skyrls_trainer_without_a_critic(skyrl: Any) -> None:
    """Values are None, and rewards to go are learnt."""
    trainer, data = skyrl.RLEFTrainer(configured()), batch()
    data["values"] = None
    returns = trainer.compute_advantages_and_returns(data)["returns"]
    torch.testing.assert_close(returns[0], torch.tensor([0.8, 0.8, 0, 0, 1]))


def test_too_many_spoiled_dialogues_stop_skyrl(skyrl: Any) -> None:
    """Their share is that of the training's settings; padding does not count."""
    experiment = skyrl.RLEFExperiment(SimpleNamespace(), 0.4)
    trainer = experiment.get_trainer(cfg=configured())
    data = batch()
    data["loss_mask"][1] = 0
    with pytest.raises(InfrastructureError, match="spoiled 1 of the 2 dialogues"):
        trainer.compute_advantages_and_returns(data)


@pytest.mark.parametrize(
    ("metrics", "mask", "rewards"),
    [
        ({"spoiled": 0.0, "late_reward": 0.0}, [1, 0, 1], [-0.2, 0.0, 1.0]),
        ({"spoiled": 0.0, "late_reward": -1.0}, [1, 0, 1], [-0.2, 0.0, 0.0]),
        ({"spoiled": 1.0, "late_reward": 0.0}, [0, 0, 0], [-0.2, 0.0, 1.0]),
    ],
)
def test_skyrls_generator_masks_and_rewards(
    skyrl: Any, metrics: dict[str, float], mask: list[int], rewards: list[float]
) -> None:
    """What the machine spoiled is not learnt; what was cut short earns on its last token."""
    cfg = SimpleNamespace(name="p", generator=1, environment=SimpleNamespace(skyrl_gym=2))
    experiment = skyrl.RLEFExperiment(cfg, 0.05)
    skyrl.register_environment = lambda: None
    generator = experiment.get_generator(cfg, "tokenizer", "client")
    assert generator.parts["policy_model_name"] == "policy of p"
    output = SimpleNamespace(env_metrics=dict(metrics), loss_mask=[1, 0, 1], reward=[-0.2, 0.0, 1.0])
    output = generator._post_process_agent_loop_output(output, {}, None)
    assert output.loss_mask == mask and output.reward == pytest.approx(rewards)
    assert "late_reward" not in output.env_metrics


class Output:
    """verl's AgentLoopOutput."""

    def __init__(self, **fields: Any) -> None:
        vars(self).update(fields)

    def as_dict(self) -> dict[str, Any]:
        """Return it as verl does: one score, on the last token."""
        scores = torch.zeros(len(self.response_ids))  # type: ignore[attr-defined]
        scores[-1] = self.reward_score  # type: ignore[attr-defined]
        return {"rm_scores": scores, "turn_rewards": self.turn_rewards}  # type: ignore[attr-defined]


class Loop:
    """verl's agent loop over a tokenizer of characters."""

    def __init__(self, replies: list[str], *, response_length: int = 10_000) -> None:
        self.rollout_config = SimpleNamespace(response_length=response_length, n=2)
        self.tokenizer = SimpleNamespace(decode=lambda ids, **_: "".join(map(chr, ids)))
        self.server_manager, self.replies, self.limits = self, replies, []  # type: ignore[var-annotated]

    async def generate(self, request_id: str, *, prompt_ids: list[int], sampling_params: dict[str, Any]) -> Any:
        """Return the next reply."""
        self.limits.append(sampling_params["max_tokens"])
        ids = list(map(ord, self.replies.pop(0)))
        steps = len(self.limits)
        return SimpleNamespace(
            token_ids=ids,
            log_probs=[-0.5] * len(ids),
            extra_fields={"min_global_steps": steps, "max_global_steps": steps},
        )

    async def ct_build_initial_tokens(self, messages: list[dict[str, str]]) -> list[int]:
        """Return the first prompt's tokens."""
        return list(map(ord, messages[-1]["content"]))

    async def ct_merge_assistant_token(
        self, ids: list[int], added: list[int], mask: list[int], chances: list[float], *, assistant_logprobs: Any
    ) -> Any:
        """Add a reply."""
        return SimpleNamespace(token_ids=ids + added), mask + [1] * len(added), chances + assistant_logprobs

    async def ct_merge_context_msg(
        self, said: list[Any], messages: list[Any], ids: list[int], mask: list[int], chances: list[float]
    ) -> Any:
        """Add what is new of the messages."""
        added = [ord(letter) for message in messages[len(said) :] for letter in message["content"]]
        return SimpleNamespace(token_ids=ids + added), mask + [0] * len(added), chances + [0.0] * len(added)


class Sync:
    """verl's trainer."""

    def _compute_advantage(self, batch: Any, metrics: dict[str, Any]) -> Any:
        metrics["theirs"] = 1
        return batch


class Fields(dict[str, Any]):
    """verl's rows of an iteration, padded already."""

    def to_padded_tensor(self) -> "Fields":
        return self


@pytest.fixture
def verl(monkeypatch: pytest.MonkeyPatch, toy: ToyTraining) -> Iterator[Any]:
    """The adapter over a verl that does nothing."""
    runner = SimpleNamespace(__ray_metadata__=SimpleNamespace(modified_class=object))
    stand_in(monkeypatch, "ray", remote=lambda **_: lambda function: function)
    stand_in(monkeypatch, "transfer_queue", kv_batch_get=None, kv_batch_put=None)
    stand_in(monkeypatch, "hydra", compose=None, initialize_config_module=None)
    stand_in(monkeypatch, "tensordict", TensorDict=lambda fields, batch_size: fields)
    stand_in(
        monkeypatch,
        "verl.experimental.agent_loop.agent_loop",
        AgentLoopBase=Loop,
        AgentLoopMetrics=dict,
        AgentLoopOutput=Output,
    )
    stand_in(monkeypatch, "verl.trainer.main_ppo", TaskRunnerV1=runner, run_ppo=None)
    stand_in(monkeypatch, "verl.trainer.ppo.utils", need_critic=None, need_reference_policy=None)
    stand_in(monkeypatch, "verl.trainer.ppo.v1.trainer_base", register_trainer=lambda _: lambda kind: kind)
    stand_in(monkeypatch, "verl.trainer.ppo.v1.trainer_sync", PPOTrainerSync=Sync)
    stand_in(monkeypatch, "verl.utils.config", validate_config=None)
    stand_in(monkeypatch, "verl.workers.utils.padding", response_to_nested=lambda numbers, _: numbers)
    monkeypatch.setitem(environments._OPENED, FOLDER, OpenedEnvironments(toy.record, toy.environments))
    yield imported(monkeypatch, "turnwise.training.engines.verl")
    monkeypatch.undo()
    sys.modules.pop("turnwise.training.engines.verl", None)


WRONG, RIGHT = (f"```python\nprint(int(input())*{number})\n```" for number in (4, 7))


def carried(verl: Any, replies: list[str], **arguments: Any) -> tuple[Any, Any]:
    """Return the loop and what it gives of a dialogue with these replies."""
    loop = verl.TurnwiseLoop(list(replies), **arguments)
    info = {"environment": FOLDER, "problem": "toy_train/mul-7-hidden"}
    return loop, asyncio.run(loop.run({"temperature": 1.0}, extra_info=info, global_steps=3, session_id=1))


def test_verls_loop_carries_a_dialogue(verl: Any) -> None:
    """Replies are masked in, feedback out; each reward is on its reply's last token."""
    texts = ["I do not know.", WRONG, RIGHT]
    loop, output = carried(verl, texts)
    response, mask = output.response_ids, output.response_mask
    assert len(response) == len(mask) == len(output.response_logprobs)
    assert "".join(chr(token) for token, sampled in zip(response, mask, strict=True) if sampled) == "".join(texts)
    assert "mul k" in "".join(map(chr, output.prompt_ids))
    scores = output.as_dict()["rm_scores"]
    assert "turn_rewards" not in output.as_dict()
    ends = [place for place in range(len(mask)) if mask[place] and (place + 1 == len(mask) or not mask[place + 1])]
    assert [scores[place].item() for place in ends] == pytest.approx([-0.2, 0.0, 1.0])
    assert scores.sum().item() == pytest.approx(0.8) and output.reward_score == pytest.approx(0.8)
    assert output.extra_fields["min_global_steps"] == 1 and output.extra_fields["max_global_steps"] == 3
    assert output.extra_fields["turn_scores"] == pytest.approx([-0.2, 0.0, 1.0])
    assert loop.limits == [64, 64, 64]


def test_verls_loop_ends_where_there_is_no_room(verl: Any) -> None:
    """The last program is judged as that of the end, which earns -1 on the last reply."""
    loop, output = carried(verl, [WRONG], response_length=len(WRONG) + 20)
    assert len(output.response_ids) == len(output.response_mask) == len(output.response_logprobs) == len(WRONG) + 20
    scores = output.as_dict()["rm_scores"]
    assert scores[len(WRONG) - 1].item() == -1 and scores.sum().item() == -1
    assert loop.limits == [len(WRONG) + 20]


def test_verls_loop_masks_what_the_machine_spoiled(verl: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no reward, and nothing of it is learnt."""
    spoiled = Step([], None, True, Info(1))
    monkeypatch.setattr(CodeEnvironment, "step", lambda *_: spoiled)
    _, output = carried(verl, [WRONG])
    assert not any(output.response_mask) and output.turn_rewards == [] and output.reward_score == 0


@pytest.mark.parametrize("has_critic", [True, False])
def test_verls_trainer_writes_turn_level_numbers(verl: Any, monkeypatch: pytest.MonkeyPatch, has_critic: bool) -> None:
    """In place of verl's own, whose metrics are kept; padding is no spoiled dialogue."""
    written: dict[str, Any] = {}
    data = Fields(
        response_mask=torch.tensor([*MASK, [0.0] * 5]),
        rm_scores=torch.tensor([[0, -0.2, 0, 0, 1], [-1, 0, 0, 0, 0], [0] * 5]),
        old_log_probs=torch.full((3, 5), -1.0),
        ref_log_prob=torch.full((3, 5), -1.4),
    )
    if has_critic:
        data["values"] = torch.full((3, 5), 0.5)

    def get(*, keys: Any, partition_id: str, select_fields: list[str]) -> Fields:
        del keys, partition_id
        assert set(select_fields) == set(data)
        return data

    def put(*, keys: Any, partition_id: str, fields: Any) -> str:
        del keys, partition_id
        written.update(fields)
        return "batch"

    monkeypatch.setattr(verl.transfer_queue, "kv_batch_get", get)
    monkeypatch.setattr(verl.transfer_queue, "kv_batch_put", put)
    trainer, metrics = verl.RLEFTrainer(), {}  # type: ignore[var-annotated]
    kl = SimpleNamespace(kl_coef=0.05)
    algorithm = SimpleNamespace(use_kl_in_reward=True, kl_ctrl=kl, gamma=1.0, lam=1.0)
    trainer.config = SimpleNamespace(algorithm=algorithm, turnwise=SimpleNamespace(most_spoiled=0.05))
    trainer.use_critic = has_critic
    batch = type("Meta", (), {"keys": [], "partition_id": "train", "__len__": lambda _: 3})()
    batch.tags = [{}, {}, {"is_padding": True}]
    assert trainer._compute_advantage(batch, metrics) == "batch"
    assert metrics == {"theirs": 1, "training/spoiled": 0}
    expected = torch.tensor([[0.76, 0.76, 0, 0, 0.98], [-1.02, 0, 0, 0, 0], [0] * 5])
    torch.testing.assert_close(written["returns"], expected)
    assert set(written) == {"advantages", "returns", "token_level_rewards"}
    batch.tags = [{}, {}, {}]
    with pytest.raises(InfrastructureError, match="spoiled 1 of the 3"):
        trainer._compute_advantage(batch, metrics)
