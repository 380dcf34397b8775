"""Updates against plain loops, across processes and restarts: what is learnt, and that nothing else is."""

import dataclasses
import io
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")
transformers = pytest.importorskip("transformers", reason="not installed: pip install 'turnwise[train]'")

from episodes_by_hand import episode, going_on  # noqa: E402 - beside this room's tests
from torch.optim.optimizer import register_optimizer_step_pre_hook  # noqa: E402 - after torch is found

from turnwise.errors import TurnwiseError  # noqa: E402 - after torch is found
from turnwise.records.rlef import RlefSettings, UpdateFigures  # noqa: E402 - as above
from turnwise.training.base_model import BaseModel  # noqa: E402 - as above
from turnwise.training.episodes import PROMPT, Episode, Row, rows_of  # noqa: E402 - as above
from turnwise.training.rlef import batches, maths, networks  # noqa: E402 - it needs torch
from turnwise.training.rlef.networks import Networks  # noqa: E402 - it needs torch
from turnwise.training.rlef.update import Updater  # noqa: E402 - it needs torch

pytestmark = pytest.mark.xdist_group("torch")
SETTINGS = RlefSettings(
    dtype="float32", learning_rate=0.01, warmup_updates=0, minibatches=1, beta=0.3, max_gradient_norm=1e9
)
EPISODES = [
    episode(going_on([1, 2, 3], [4, 5], [6, 7], [8, 9, 10]), [-0.2, 1.0], logprobs=[[-2.0, -3.5], [-2.0, -1.0, -4.0]]),
    episode(going_on([11, 12], [13]), [-1.0], logprobs=[[-2.0]]),
    episode([([1, 14], [2]), ([14, 14, 5], [6, 7])], [-0.2, -1.0], logprobs=[[-3.0], [-1.0, -3.0]], cut=[1]),
    episode(going_on([5, 4, 3, 2, 1], [1, 1]), [1.0], logprobs=[[-2.5, -2.5]]),
]
State = dict[str, "torch.Tensor"]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """Return a random model of one layer."""
    folder = tmp_path_factory.mktemp("model")
    config = transformers.LlamaConfig(
        vocab_size=16,
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        initializer_range=0.3,
        eos_token_id=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return BaseModel(str(folder))


class Training:
    """Networks and their updater; ``gradients`` are those of each step, by network, before they are clipped."""

    def __init__(self, base: BaseModel, *, is_distributed: bool = False, **settings: Any) -> None:
        self.settings = dataclasses.replace(SETTINGS, **settings)
        self.networks = Networks.load(base, self.settings, device="cpu")
        self.updater = Updater(self.networks, self.settings, device="cpu", is_distributed=is_distributed)

    def update(self, episodes: Sequence[Episode] = EPISODES, *, iteration: int = 1) -> UpdateFigures:
        """Make the updates of an iteration."""
        return self.updater.update(episodes, iteration=iteration)

    def weights(self) -> State:
        """Return copies of what is trained."""
        return {name: tensor.clone() for name, tensor in self.networks.state().items()}


def gradients_of(training: Training, episodes: Sequence[Episode] = EPISODES) -> tuple[State, UpdateFigures]:
    """Return the gradients of the one step of an iteration, by the names of the weights, and its figures."""
    found: State = {}
    by_place = {tensor.data_ptr(): name for name, tensor in training.networks.state().items()}

    def keep(optimizer: Any, *_: object) -> None:
        for group in optimizer.param_groups:
            for weight in group["params"]:
                found[by_place[weight.data_ptr()]] = weight.grad.clone()

    handle = register_optimizer_step_pre_hook(keep)
    try:
        figures = training.update(episodes)
    finally:
        handle.remove()
    return found, figures


def near(found: State, expected: State, within: float) -> bool:
    """Return whether all tensors are about those."""
    assert found.keys() == expected.keys()
    return all(torch.allclose(tensor, expected[name], atol=within, rtol=0) for name, tensor in found.items())


def equal(found: State, expected: State) -> bool:
    """Return whether all tensors are those, byte for byte."""
    return found.keys() == expected.keys() and all(torch.equal(found[name], expected[name]) for name in found)


# ---------- by a plain loop ----------


def plain_losses(
    base: BaseModel, critic: State, settings: RlefSettings, *, moved: float
) -> tuple["torch.Tensor", "torch.Tensor", Any, Any]:
    """Return both losses of all EPISODES as a loop over dialogues, calls and tokens says them, and the networks.

    Weights have ``moved`` from the old ones, so that ratios are not 1.
    """

    def network() -> Any:
        return transformers.AutoModelForCausalLM.from_pretrained(base.name, dtype=torch.float32)

    old, policy, body, head = network(), network(), network().model, critic["critic.head.weight"].clone()
    old_body = network().model
    head.requires_grad_()
    with torch.no_grad():
        for weight in (*policy.parameters(), *body.parameters()):
            weight += moved
    calls = []
    for dialogue in EPISODES:
        assert dialogue.rewards is not None
        own = []
        for call, reward in zip(dialogue.calls, dialogue.rewards, strict=True):
            reply = call.reply
            prompt, said = reply.prompt_token_ids, reply.token_ids
            assert prompt is not None and said is not None and reply.logprobs is not None
            ids = torch.tensor([[*prompt, *said]])
            new = [policy(ids).logits[0, len(prompt) + at - 1].log_softmax(-1)[token] for at, token in enumerate(said)]
            with torch.no_grad():
                before = [
                    float(old(ids).logits[0, len(prompt) + at - 1].log_softmax(-1)[token])
                    for at, token in enumerate(said)
                ]
                value = float(critic["critic.head.weight"][0] @ old_body(ids).last_hidden_state[0, len(prompt) - 1])
            now = head[0] @ body(ids).last_hidden_state[0, len(prompt) - 1]
            weights = [min(1.0, math.exp(b - s)) for b, s in zip(before, reply.logprobs, strict=True)]
            is_learnt = not (settings.mask_cut and reply.is_cut)
            own.append((new, before, weights, value, now, reward, is_learnt))
        calls.append(own)
    advantages, returns = {}, {}
    for row, own in enumerate(calls):
        for place in range(len(own)):
            returns[row, place] = sum(call[5] for call in own[place:])  # the reference is the policy: no charge yet
            advantages[row, place] = returns[row, place] - own[place][3]
    learnt = [key for key in advantages if calls[key[0]][key[1]][6]]
    numbers = [advantages[key] for key in learnt]
    mean = sum(numbers) / len(numbers)
    deviation = (sum((number - mean) ** 2 for number in numbers) / (len(numbers) - 1)) ** 0.5
    policy_losses, value_losses = [], []
    for key in learnt:
        new, before, weights, value, now, _, _ = calls[key[0]][key[1]]
        advantage = (advantages[key] - mean) / (deviation + 1e-6)
        for log, was, weight in zip(new, before, weights, strict=True):
            ratio = torch.exp(log - was)
            policy_losses.append(
                -weight * torch.min(ratio * advantage, ratio.clamp(1 - settings.clip, 1 + settings.clip) * advantage)
            )
        near_value = value + (now - value).clamp(-settings.clip, settings.clip)
        value_losses.append(0.5 * torch.max((now - returns[key]) ** 2, (near_value - returns[key]) ** 2))
    body.head = head
    return torch.stack(policy_losses).mean(), torch.stack(value_losses).mean(), policy, body


@pytest.mark.parametrize("mask_cut", [False, True])
@pytest.mark.parametrize("moved", [0.0, 0.2])
def test_losses_and_gradients_are_those_of_a_plain_loop(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch, mask_cut: bool, moved: float
) -> None:
    """Over dialogues, calls and tokens, each read alone with all its logits; also where weights have moved."""
    training = Training(base, mask_cut=mask_cut)
    policy_loss, value_loss, policy, body = plain_losses(base, training.weights(), training.settings, moved=moved)
    policy_loss.backward()
    value_loss.backward()
    expected = {f"policy.{name}": weight.grad for name, weight in policy.named_parameters()}
    expected |= {f"critic.body.{name}": weight.grad for name, weight in body.named_parameters()}
    expected["critic.head.weight"] = body.head.grad
    look = Updater._look

    def then_move(self: Updater, *arguments: Any) -> Any:
        known = look(self, *arguments)
        for name, tensor in training.networks.state().items():
            if "head.bias" not in name and name != "critic.head.weight":
                tensor += moved
        return known

    monkeypatch.setattr(Updater, "_look", then_move)
    found, figures = gradients_of(training)
    assert math.isclose(figures.policy_loss, policy_loss.item(), abs_tol=1e-5)
    assert figures.value_loss is not None and math.isclose(figures.value_loss, value_loss.item(), abs_tol=1e-5)
    assert found.pop("critic.head.bias").shape == (1,)
    assert near(found, expected, within=2e-5)
    assert (figures.clipped > 0) == (moved > 0)


def test_the_log_ratio_to_the_reference_is_charged_once_a_call(base: BaseModel) -> None:
    """After updates the policy differs from where it began; the mean of a call's log-ratios lowers its reward."""
    training = Training(base, learning_rate=0.05)
    training.update()
    figures = training.update(iteration=2)
    assert figures.kl != 0 and math.isfinite(figures.kl)
    (part,) = batches.Batch.of(EPISODES).parts(range(4), tokens_at_a_time=1000)
    again = Training(base, learning_rate=0.05)
    again.update()
    ratios = again.networks.log_probabilities(part).detach() - again.networks.reference_log_probabilities(part)
    calls = batches.Batch.of(EPISODES).calls[part.tokens]
    means = [float(ratios[calls == call].mean()) for call in calls.unique()]
    assert math.isclose(figures.kl, sum(means) / len(means), abs_tol=1e-5)
    assert math.isclose(figures.kl_tokens, float(ratios.sum()) / len(EPISODES), abs_tol=1e-5)
    values = dict(zip(part.calls.tolist(), again.networks.values(part, part.call_places).tolist(), strict=True))
    charges = dict(zip(calls.unique().tolist(), means, strict=True))
    advantages = []
    for row, dialogue in enumerate(EPISODES):
        rewards = [reward - 0.3 * charges[2 * row + place] for place, reward in enumerate(dialogue.rewards or ())]
        advantages += [sum(rewards[place:]) - values[2 * row + place] for place in range(len(rewards))]
    assert math.isclose(figures.mean_advantage, sum(advantages) / len(advantages), abs_tol=1e-5)


# ---------- what is not read ----------


def _noise_elsewhere(module: Any, now: list[batches.Part], name: str) -> None:
    """Change a network's hidden states wherever nothing is read; ``name`` is that of the part's places."""

    def add(_: object, __: object, hidden: "torch.Tensor") -> "torch.Tensor":
        longest, places = now[0].ids.shape[1], getattr(now[0], name)
        noise = torch.full((*hidden.shape[:2], 1), 100.0)
        noise[places // longest, places % longest] = 0.0
        return hidden + noise

    module.register_forward_hook(add)


@pytest.mark.parametrize("value", ["turn", "token"])
def test_what_stands_at_feedback_and_padding_is_not_learnt(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Values and log-probabilities there are changed beyond measure: weights and figures stay, bit for bit."""
    quiet, loud = Training(base, value=value), Training(base, value=value)
    now: list[batches.Part] = []
    for name in ("log_probabilities", "log_probabilities_and_entropies", "reference_log_probabilities", "values"):
        real = getattr(Networks, name)

        def noted(self: Networks, part: batches.Part, *others: Any, real: Any = real) -> Any:
            now[:] = [part]
            return real(self, part, *others)

        monkeypatch.setattr(Networks, name, noted)
    assert loud.networks.critic is not None
    for network in (loud.networks.policy.model, loud.networks._reference.model):
        _noise_elsewhere(network.norm, now, "places")
    _noise_elsewhere(loud.networks.critic.body.norm, now, "call_places" if value == "turn" else "places")
    figures = [training.update(iteration=number) for training in (quiet, loud) for number in (1, 2)]
    assert figures[:2] == figures[2:]
    assert equal(quiet.weights(), loud.weights())


def test_what_was_said_of_prompt_tokens_is_not_read(base: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row may have any number as the log-probability of a token that the model has not said."""
    plain = Training(base)
    plain.update()

    def changed(given: Episode) -> list[Row]:
        return [
            dataclasses.replace(
                row,
                logprobs=tuple(-77.0 if c == PROMPT else p for c, p in zip(row.calls, row.logprobs, strict=True)),
            )
            for row in rows_of(given)
        ]

    monkeypatch.setattr(batches, "rows_of", changed)
    other = Training(base)
    other.update()
    assert equal(plain.weights(), other.weights())


# ---------- however it is cut ----------


def _row_a_call(given: Episode) -> list[Row]:
    rows = []
    for number, call in enumerate(given.calls):
        prompt, said, chances = call.reply.prompt_token_ids, call.reply.token_ids, call.reply.logprobs
        assert prompt is not None and said is not None and chances is not None
        calls = (PROMPT,) * len(prompt) + (number,) * len(said)
        rows.append(Row((*prompt, *said), calls, (*(0.0,) * len(prompt), *chances)))
    return rows


@pytest.mark.parametrize("value", ["turn", "token", "none"])
def test_a_row_for_each_call_learns_what_joined_rows_do(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """Where the contexts are equal, so are gradients and figures."""
    joined, figures = gradients_of(Training(base, value=value))
    assert [len(rows_of(given)) for given in EPISODES] == [1, 1, 2, 1]
    monkeypatch.setattr(batches, "rows_of", _row_a_call)
    apart, others = gradients_of(Training(base, value=value))
    assert near(joined, apart, within=1e-5)
    for name, number in dataclasses.asdict(figures).items():
        other = getattr(others, name)
        assert number is other is None or math.isclose(number, other, abs_tol=1e-4), name


@pytest.mark.parametrize("tokens", [1, 12, 20])
def test_micro_batches_change_nothing(base: BaseModel, tokens: int) -> None:
    """A minibatch's losses are means over its tokens and calls, not means of means."""
    whole, figures = gradients_of(Training(base))
    parts, others = gradients_of(Training(base, tokens_at_a_time=tokens))
    assert near(whole, parts, within=1e-5)
    assert math.isclose(figures.policy_loss, others.policy_loss, abs_tol=1e-5)


@pytest.mark.parametrize("rank", [0, 2])
def test_layers_that_are_computed_again_give_the_same_gradients(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch, rank: int
) -> None:
    """As on accelerators, where activations are not kept; with adapters as well."""
    plain, _ = gradients_of(Training(base, lora_rank=rank))
    monkeypatch.setattr(networks, "has_gradient_checkpoints", lambda *_: True)
    training = Training(base, lora_rank=rank)
    computed: list[bool] = []
    for module in training.networks.policy.modules():
        if isinstance(module, transformers.models.llama.modeling_llama.LlamaAttention):
            module.register_forward_hook(lambda *_: computed.append(torch.is_grad_enabled()))
    again, _ = gradients_of(training)
    assert training.networks.checkpoints and computed.count(True) == 2
    assert near(plain, again, within=1e-5)


def test_dialogues_without_reward_are_left_out_before_whitening(base: BaseModel) -> None:
    """They change nothing; where none is left, a sentence names the iteration."""
    spoiled = dataclasses.replace(EPISODES[0], rewards=None)
    plain, figures = gradients_of(Training(base))
    among, others = gradients_of(Training(base), [spoiled, *EPISODES[:2], spoiled, *EPISODES[2:]])
    assert equal(plain, among) and figures == others
    with pytest.raises(TurnwiseError, match="No dialogue of iteration 7 can be learnt: none has a reward"):
        Training(base).update([spoiled], iteration=7)
    silent = dataclasses.replace(spoiled, trajectory=dataclasses.replace(spoiled.trajectory, turns=()))
    with pytest.raises(TurnwiseError, match=r"iteration 7 can be learnt: no prompt leaves room .* larger --max-length"):
        Training(base).update([silent], iteration=7)


# ---------- steps ----------


def test_the_rate_rises_over_the_warm_up_updates(base: BaseModel) -> None:
    """Of four, the updates of the first iteration have a quarter and a half; then it stays."""
    training = Training(base, warmup_updates=4, minibatches=2)
    rates = [training.update(iteration=iteration).learning_rate for iteration in (1, 2, 3)]
    assert rates == [0.005, 0.01, 0.01] and training.updater.updates == 6


def test_a_gradient_is_clipped_to_its_norm_for_each_network(base: BaseModel) -> None:
    """What is told is the norm before."""
    training = Training(base, max_gradient_norm=0.01)
    found, figures = gradients_of(training)
    for name, told in (("policy", figures.gradient_norm), ("critic", figures.value_gradient_norm)):
        squares = sum(float((tensor**2).sum()) for key, tensor in found.items() if key.startswith(name))
        assert math.isclose(squares**0.5, 0.01, rel_tol=1e-3) and told is not None and told > 0.01


@pytest.mark.parametrize(
    ("where", "told"), [("policy_losses", "The loss of iteration 5 is"), ("value_losses", "The loss of the value of")]
)
def test_an_update_that_is_no_number_is_not_made(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch, where: str, told: str
) -> None:
    """The error names the iteration, and the weights are those from before."""
    training = Training(base)
    before = training.weights()
    monkeypatch.setattr(maths, where, lambda new, *_, **__: new * math.inf)
    with pytest.raises(TurnwiseError, match=told):
        training.update(iteration=5)
    assert equal(training.weights(), before)


def test_a_reward_that_is_no_number_is_not_learnt(base: BaseModel) -> None:
    """Before any update is made of it."""
    training = Training(base)
    before = training.weights()
    with pytest.raises(TurnwiseError, match="advantages of iteration 2"):
        training.update([*EPISODES, episode([([1], [2])], [math.nan])], iteration=2)
    assert equal(training.weights(), before) and training.updater.updates == 0


def test_training_goes_on_as_if_it_had_not_stopped(base: BaseModel) -> None:
    """Four updates at once make the same weights and moments as two, a file, and two more: byte for byte."""
    whole = Training(base, minibatches=2, warmup_updates=3, weight_decay=0.1)
    for iteration in (1, 2):
        expected = whole.update(iteration=iteration)
    halves = [Training(base, minibatches=2, warmup_updates=3, weight_decay=0.1) for _ in range(2)]
    halves[0].update(iteration=1)
    torch.save({"networks": halves[0].networks.state(), "updater": halves[0].updater.state()}, file := io.BytesIO())
    file.seek(0)
    state = torch.load(file, weights_only=True)
    halves[1].networks.load_state(state["networks"])
    halves[1].updater.load_state(state["updater"])
    assert halves[1].update(iteration=2) == expected
    assert equal(halves[1].weights(), whole.weights())
    for name, moments in whole.updater.state()["optimizers"].items():
        others = halves[1].updater.state()["optimizers"][name]
        for number, numbers in moments["state"].items():
            assert equal(numbers, others["state"][number])
    with pytest.raises(ValueError, match="of other networks"):
        Training(base, value="none").updater.load_state(whole.updater.state())


@pytest.mark.parametrize("value", ["turn", "token", "none"])
def test_what_earns_more_is_said_more(base: BaseModel, value: str) -> None:
    """A model that is rewarded for token 5 in its second call alone says it there, whatever it says in the first."""
    training = Training(base, value=value, learning_rate=0.02, minibatches=2, beta=0.01, max_gradient_norm=1.0)
    draw = torch.Generator().manual_seed(0)

    def sampled(prompts: "torch.Tensor") -> tuple[list[int], list[float]]:
        with torch.no_grad():
            logs = training.networks.policy(input_ids=prompts).logits[:, -1].log_softmax(-1)
        chosen = torch.multinomial(logs.exp(), 1, generator=draw)
        return chosen[:, 0].tolist(), logs.gather(1, chosen)[:, 0].tolist()

    shares = []
    for iteration in range(1, 16):
        first, logs = sampled(torch.tensor([[1, 2]] * 64))
        second, later = sampled(torch.tensor([[1, 2, token, 9] for token in first]))
        episodes = [
            episode(going_on([1, 2], [token], [9], [last]), [0.0, 1.0 if last == 5 else -1.0], logprobs=[[log], [then]])
            for token, last, log, then in zip(first, second, logs, later, strict=True)
        ]
        shares.append(second.count(5) / 64)
        assert training.update(episodes, iteration=iteration).logprob_gap < 1e-3
    assert shares[0] < 0.3 and shares[-1] > 0.8


# ---------- several processes ----------


class Group:
    """Stands in for torch.distributed: threads of this process that wait for one another and reduce in rank order."""

    def __init__(self, size: int) -> None:
        self._rank = threading.local()
        self._tensors: list[Any] = [None] * size
        self._barrier = threading.Barrier(size, timeout=60)

    def all_reduce(self, tensor: "torch.Tensor", op: Any = torch.distributed.ReduceOp.SUM) -> None:
        """Replace the tensor by that of all."""
        self._tensors[self._rank.value] = tensor.detach().clone()
        self._barrier.wait()
        stacked = torch.stack(self._tensors)
        reduced = stacked.sum(dim=0) if op == torch.distributed.ReduceOp.SUM else stacked.max(dim=0).values
        self._barrier.wait()
        tensor.copy_(reduced)

    def run(self, actions: Sequence[Callable[[], Any]]) -> list[Any]:
        """Return what each action does in a thread of its own."""
        found: list[Any] = [None] * len(actions)

        def act(rank: int) -> None:
            self._rank.value = rank
            try:
                found[rank] = actions[rank]()
            except BaseException as error:
                found[rank] = error
                self._barrier.abort()

        threads = [threading.Thread(target=act, args=(rank,)) for rank in range(len(actions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found


@pytest.mark.parametrize("shares", [(2, 4), (1, 4), (0, 4)], ids=str)
@pytest.mark.parametrize("value", ["turn", "token"])
def test_processes_learn_together_what_one_learns_alone(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch, shares: tuple[int, int], value: str
) -> None:
    """Each has a share of the dialogues, one perhaps none; all have the same weights, and the figures of all."""
    alone = Training(base, value=value)
    expected, figures = gradients_of(alone)
    del expected
    group = Group(2)
    members = [Training(base, is_distributed=True, value=value) for _ in range(2)]
    monkeypatch.setattr(torch.distributed, "all_reduce", group.all_reduce)
    parts = EPISODES[: shares[0]], EPISODES[shares[0] :]
    found = group.run(
        [lambda member=member, part=part: member.update(part) for member, part in zip(members, parts, strict=True)]
    )
    assert isinstance(found[0], UpdateFigures) and found[0] == found[1], found
    assert equal(members[0].weights(), members[1].weights())
    for name, number in dataclasses.asdict(figures).items():
        assert math.isclose(getattr(found[0], name), number, abs_tol=1e-5), name
    assert near(members[0].weights(), alone.weights(), within=1e-3)


@pytest.mark.long
def test_two_processes_over_gloo_make_equal_weights(base: BaseModel, tmp_path: Path) -> None:
    """Byte for byte, and the figures of all: the real group in place of the threads."""
    program = Path(__file__).with_name("two_processes.py")
    subprocess.run([sys.executable, str(program), base.name, str(tmp_path)], check=True, timeout=300)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    alone = torch.load(tmp_path / "alone.pt", weights_only=True)
    assert equal(first["weights"], second["weights"]) and first["figures"] == second["figures"]
    began = Training(base).weights()
    assert all(not torch.equal(tensor, began[name]) for name, tensor in first["weights"].items())
    for name in ("kl", "entropy", "mean_advantage", "value_error", "logprob_gap", "weight"):
        assert math.isclose(first["figures"][0][name], alone["figures"][0][name], abs_tol=1e-5), name
