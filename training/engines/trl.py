"""A baseline on one machine: GRPO of TRL over turnwise's environment, by its ``rollout_func``.

>>> with open_environments("codecontests_train_multiturn", data_dir=data) as environments:
...     trainer = grpo_trainer(model, tokenizer, environments, settings, output=folder)
...     trainer.train()

It is no RLEF: there is no critic, a dialogue's rewards are summed, each token of a dialogue has the advantage of the
whole (its reward less the mean of its group, over their deviation), and the KL is a term of the loss, by token. One
process, and no resuming within an iteration. A dialogue that the machine spoiled is masked, and counts as 0 in its
group's mean, for TRL has no other place for it.
"""

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from turnwise.errors import TurnwiseError
from turnwise.records.rlef import RlefSettings
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import End, Reply
from turnwise.runners.models.hf import HFEngine, HFOptions
from turnwise.runners.models.sampler import ContextOverflowError, Request
from turnwise.tasks.dialogue import Ask
from turnwise.training.engines.versions import check_engine
from turnwise.training.environment import CodeEnvironment, Environments
from turnwise.training.episodes import PROMPT, Episode, rows_of


def grpo_trainer(
    model: Any, tokenizer: Any, environments: Environments, settings: RlefSettings, *, output: Path, **arguments: Any
) -> Any:
    """Return TRL's trainer of ``settings``, over a ``model`` of transformers; ``arguments`` are more of GRPOConfig.

    Of the settings count: iterations, rollouts, group, learning_rate, weight_decay, beta, clip, warmup_updates,
    max_gradient_norm, max_length, max_reply_tokens and seed. An iteration is one update.

    Raises TurnwiseError for another release of trl than those that were tried, or a group of one.
    """
    check_engine("trl")
    if settings.group < 2:
        raise TurnwiseError(
            f"The group is {settings.group}: GRPO compares the dialogues of a problem, so give 2 or more."
        )
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    config = GRPOConfig(
        output_dir=str(output),
        max_steps=settings.iterations,
        per_device_train_batch_size=settings.rollouts,
        num_generations=settings.group,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_updates,
        lr_scheduler_type="constant_with_warmup",
        max_grad_norm=settings.max_gradient_norm,
        beta=settings.beta,
        epsilon=settings.clip,
        temperature=1.0,
        max_completion_length=settings.max_length,
        seed=settings.seed,
        **{"activation_checkpointing": True, "report_to": [], "save_strategy": "no", "logging_steps": 1, **arguments},
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You are using 'rollout_func'", UserWarning)
        return GRPOTrainer(
            model=model,
            reward_funcs=_rewards,
            args=config,
            train_dataset=Dataset.from_dict({"prompt": list(environments.problems)}),
            processing_class=tokenizer,
            rollout_func=rollout_function(environments, settings),
        )


def rollout_function(environments: Environments, settings: RlefSettings) -> Callable[[list[str], Any], dict[str, Any]]:
    """Return TRL's ``rollout_func``: it carries a dialogue about each problem id that it is given.

    What it returns has, of each dialogue, the ids of the first prompt, all ids after it, which of them the model
    sampled (``env_mask``), their log-probabilities, and the sum of its rewards (``episode_reward``, None if spoiled).
    """
    samples = itertools.count()

    def roll_out(prompts: list[str], trainer: Any) -> dict[str, Any]:
        engine = HFEngine(
            trainer.accelerator.unwrap_model(trainer.model),
            trainer.processing_class,
            HFOptions(settings.profile, max_length=settings.max_length, logprobs=True, one_generator=True),
            Sampling(temperature=1.0, max_tokens=settings.max_reply_tokens),
        )
        iteration = trainer.state.global_step + 1
        started = [environments.make(problem, next(samples), iteration) for problem in prompts]
        rows = [_row_of(episode, trainer.processing_class) for episode in _carry(started, engine)]
        names = ("prompt_ids", "completion_ids", "env_mask", "logprobs", "episode_reward")
        return {name: [row[place] for row in rows] for place, name in enumerate(names)}

    return roll_out


def _carry(environments: Sequence[CodeEnvironment], engine: HFEngine) -> Iterator[Episode]:
    """Carry all dialogues to their ends, a call of each at a time; the replies' programs are judged beside another."""
    for environment in environments:
        environment.reset()
    with ThreadPoolExecutor(len(environments)) as pool:
        while waiting := [(environment, ask) for environment in environments if (ask := environment.ask) is not None]:
            outcomes = engine.generate_batch([_request(environment, ask) for environment, ask in waiting])
            list(pool.map(_take, [environment for environment, _ in waiting], outcomes))
    return (environment.episode() for environment in environments)


def _request(environment: CodeEnvironment, ask: Ask) -> Request:
    """Return the call that is waited for; the engine reads no more of it than messages, seed and context."""
    problem, sample = environment.problem.id, environment.sample
    return Request("", problem, sample, ask.turn, ask.call, ask.messages, ask.seed, ask.after)


def _take(environment: CodeEnvironment, outcome: Any) -> None:
    if isinstance(outcome, Reply):
        environment.step(outcome)
    else:
        environment.stop(End.CONTEXT_OVERFLOW if isinstance(outcome, ContextOverflowError) else End.REQUEST_FAILED)


def _row_of(episode: Episode, tokenizer: Any) -> tuple[list[int], list[int], list[int], list[float], float | None]:
    if not episode.calls:  # the first prompt was too long: TRL wants a token all the same
        end = int(tokenizer.eos_token_id)
        return [end], [end], [0], [0.0], None
    rows = rows_of(episode)
    if len(rows) > 1:
        raise TurnwiseError(
            "The model's chat template edits earlier messages, so that a dialogue is no single row, as TRL wants it: "
            "train by turnwise rlef."
        )
    first = next(place for place, call in enumerate(rows[0].calls) if call != PROMPT)
    ids, mask = rows[0].input_ids, [int(call != PROMPT) for call in rows[0].calls[first:]]
    if episode.rewards is None:
        mask = [0] * len(mask)
    reward = None if episode.rewards is None else sum(episode.rewards)
    return list(ids[:first]), list(ids[first:]), mask, list(rows[0].logprobs[first:]), reward


def _rewards(episode_reward: list[float | None], **_: Any) -> list[float | None]:
    return episode_reward
