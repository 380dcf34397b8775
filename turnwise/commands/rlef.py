"""``turnwise rlef``: say what a reinforcement learning will be, check that it can be, and train."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from turnwise.benchmarks.own import find_benchmarks
from turnwise.commands.machine import check_output, open_machine, show_progress
from turnwise.commands.rlef_watch import IterationWatch, score_evaluation
from turnwise.commands.run import command_line
from turnwise.commands.settings import build_settings, check_decoys, tasks_of_options
from turnwise.commands.trained import (
    PlannedJob,
    Trained,
    TrainingArguments,
    done_already,
    ended,
    planned_job,
    status_in_job,
    stopped_by_signal,
    typed_dtype,
)
from turnwise.commands.training_options import RlefOptions
from turnwise.errors import TurnwiseError
from turnwise.records.choices import BackEndName, FeedbackKind, RolloutEngine
from turnwise.records.rlef import RewardSettings, RlefSettings
from turnwise.records.settings import DEFAULT_FEEDBACK, DEFAULT_OWN_SOLUTIONS, RunConfig, RunSettings, Sampling
from turnwise.runners.judging.verdicts import RecentCache
from turnwise.runners.loading import Machine, load_decoys
from turnwise.runners.machines import usable_cores
from turnwise.runners.models.back_end import Wanted, parse_pairs, validated
from turnwise.runners.models.catalog import check_sampling, find_back_end
from turnwise.runners.models.weights import LiveModel, open_live
from turnwise.tasks.catalog import Task, find_tasks
from turnwise.tasks.plan import PROFILES as RUN_PROFILES
from turnwise.tasks.plan import strategy_of, with_supported_metrics
from turnwise.tasks.prompts import PromptSet
from turnwise.training.base_model import BaseModel
from turnwise.training.memory import gigabytes
from turnwise.training.problems import check_training_task, load_tasks
from turnwise.training.processes import process_number
from turnwise.training.rlef.checks import Checked, check, check_room
from turnwise.training.rlef.loop import Parts, train
from turnwise.training.rlef.plan import Plan, Training, check_packages
from turnwise.training.rlef.settings import PROFILES, check_settings
from turnwise.training.rlef.tracking import Trackers, parse_trackers
from turnwise.training.rollouts import check_behaviour_policy

_REPORTS = 100_000  # that the judge holds, about 1 KB each
_OF_MEMORY = 0.85  # of what the networks leave of an accelerator, for the engine that samples beside them
_VALIDATION, _NONE = "codecontests_valid_multiturn", "none"  # what measures by default, where it is of one benchmark
_FALSE_FEEDBACK = (FeedbackKind.RANDOM, FeedbackKind.NONE)


def rlef_command(options: RlefOptions, *, environ: dict[str, str], arguments: Sequence[str] = ()) -> Trained:
    """Train, or say what training would take; raises TurnwiseError for what the user got wrong.

    SIGUSR2 ends it after the iteration at hand, with a checkpoint.
    """
    with stopped_by_signal() as stop:
        return learn(options, command=command_line(arguments), environ=environ, stop=stop)


def learn(options: RlefOptions, *, command: str, environ: dict[str, str], stop: Callable[[], bool]) -> Trained:
    """Train until the last iteration, or until ``stop`` says so and a checkpoint is saved; ``command`` is recorded."""
    trackers = parse_trackers(options.track)
    with open_training(options, command=command, environ=environ) as (plan, machine):
        if plan.is_done and not options.dry_run:
            return done_already(plan)
        checked = check(plan) if plan.is_main else None
        lines = describe(plan, checked) if checked is not None else []
        if options.dry_run:
            return Trained("\n".join(lines))
        if checked is not None:
            check_room(plan, checked)
            print("\n".join(lines), flush=True)
        with ExitStack() as stack:
            on_progress = stack.enter_context(show_progress())
            judge = stack.enter_context(closing(machine.open_judge(plan.training.judge, RecentCache(_REPORTS))))
            watch = IterationWatch(plan, Trackers(trackers, plan.output, plan.record), on_progress)
            stack.callback(watch.close)
            open_engine = None if plan.training.engine == RolloutEngine.HF else partial(_open_engine, plan, checked)
            parts = Parts(machine, judge, score_evaluation, watch.tell, on_progress, open_engine)
            is_done = train(plan, parts, stop=stop)
    return ended(plan, is_done=is_done, unit="iteration")


def plan_rlef_job(options: RlefOptions, *, command: str, environ: dict[str, str], processes: int) -> PlannedJob:
    """Return what a training of so many processes on another machine will be, checked but for that one's devices.

    Its steps are iterations. Raises TurnwiseError for what the user got wrong.
    """
    parse_trackers(options.track)
    rank_environ = {**environ, "WORLD_SIZE": str(processes), "RANK": "0"}
    with open_training(options, command=command, environ=rank_environ, is_here=False) as (plan, _):
        checked = check(plan, is_here=False)
        if not plan.is_done:
            check_room(plan, checked)
        return planned_job(plan, describe(plan, checked))


def train_rlef_job(options: RlefOptions, *, command: str, environ: dict[str, str], stop: Callable[[], bool]) -> int:
    """Train in a job; return the exit status."""
    return status_in_job(partial(learn, options, command=command, environ=environ, stop=stop), environ)


@contextmanager
def open_training(
    options: RlefOptions, *, command: str, environ: dict[str, str], is_here: bool = True
) -> Iterator[tuple[Plan, Machine]]:
    """Yield the plan of the training that options ask for, and the machine that judges.

    ``is_here`` says whether programs will be run here. Raises TurnwiseError for what the user got wrong.
    """
    options.check_needed("turnwise rlef needs {}.")
    if options.model is not BackEndName.HF:
        raise TurnwiseError(f"-M {options.model} cannot be trained: give -M hf -a model=NAME_OR_FOLDER.")
    given = validated(TrainingArguments, parse_pairs(options.model_args, "--model_args"), "--model_args")
    model = BaseModel(given.name("hf"), given.revision, given.trust_remote_code)
    check_packages()
    settings = settings_of(options, given.dtype)
    tasks = tasks_of_options(options)
    for task in tasks:
        check_training_task(task)
    config = _dialogues(options, tasks, settings)
    measured, evaluation = _evaluation(options, tasks, config, settings)
    prompts = PromptSet.load(options.prompts)
    for asked, of in ((tasks, config.settings), (measured, evaluation)):
        for task in asked:
            prompts.check(strategy_of(of, task).prompt_ids)
    check_decoys(options.incorrect_programs, [config.settings], tasks)
    check_output(options.output)
    judge = replace(config.judge, interpreter=options.interpreter or config.judge.interpreter)
    runs = is_here and not options.dry_run
    with (
        show_progress() as on_progress,
        open_machine(
            environ,
            on_progress,
            data_dir=options.data_dir,
            interpreter=judge.interpreter,
            workers=_workers(options, environ),
            back_end=find_back_end(options.model) if runs else None,
        ) as machine,
    ):
        asked_tasks = load_tasks(tasks, config.settings, machine, judge, runnable=runs)
        decoys = load_decoys(
            asked_tasks, config.settings, machine, judge, path=options.incorrect_programs, runnable=runs
        )
        training = Training(
            options.output,
            model,
            settings,
            config.settings,
            judge,
            prompts,
            asked_tasks,
            decoys,
            load_tasks(measured, evaluation, machine, judge, runnable=runs),
            evaluation,
            engine=options.rollout_engine.value,
            tokenizer=given.tokenizer,
            device=given.device,
            system_role=given.system_role,
            command=command,
        )
        plan = training.plan(machine, environ)
        if plan.is_main:
            plan.check_same()
        yield plan, machine


def _open_engine(plan: Plan, checked: Checked | None) -> LiveModel:
    """Start the engine that samples, in what the networks leave of the accelerator's memory."""
    import torch

    training, states = plan.training, 0 if checked is None else checked.estimate.states
    total = torch.cuda.mem_get_info()[1] if torch.cuda.is_available() else 0
    share = _OF_MEMORY * (1 - states / total) if total > states else _OF_MEMORY
    model = training.model
    given = {
        "model": model.name,
        "tokenizer": training.tokenizer,
        "revision": model.revision,
        "dtype": plan.settings.dtype,
        "max_model_len": str(plan.settings.max_length),
        "gpu_memory_utilization": f"{share:.2f}",
        "trust_remote_code": "true" if model.trust_remote_code else "",
        "system_role": "" if training.system_role else "false",
    }
    arguments = ",".join(f"{name}={value}" for name, value in given.items() if value)
    return open_live(training.engine, Wanted(arguments, plan.environ, training.dialogues))


def settings_of(options: RlefOptions, dtype: str = "auto") -> RlefSettings:
    """Return the settings of training: the profile's, and in place of them those that were typed.

    ``dtype`` is that of --model-args. Raises TurnwiseError for those that cannot be.
    """
    typed: dict[str, Any] = options.given_of_training() | typed_dtype(options.dtype, dtype)
    asked = _sampling(options.gen_kwargs, "--gen-kwargs").max_tokens
    if asked is not None and typed.setdefault("max_reply_tokens", asked) != asked:
        raise TurnwiseError(
            f"--max-reply-tokens is {options.max_reply_tokens}, and --gen-kwargs max_gen_toks is {asked}: give one of "
            "them."
        )
    settings = replace(PROFILES[options.profile], **typed, rewards=_rewards(options.rewards))
    check_settings(settings)
    return settings


def _rewards(text: str) -> RewardSettings:
    values: dict[str, Any] = {}
    for name, value in parse_pairs(text, "--rewards").items():
        if name not in RewardSettings.__slots__:
            known = ", ".join(RewardSettings.__slots__)
            raise TurnwiseError(f"--rewards {name!r} is unknown: the names are {known}.")
        try:
            values[name] = value if name == "invalid_is" else float(value)
        except ValueError:
            raise TurnwiseError(f"--rewards {name} is {value!r}: give a number.") from None
    return RewardSettings(**values)


def _sampling(gen_kwargs: str, option: str, *, engine: str | None = None) -> Sampling:
    """Return the sampling that was typed; raises TurnwiseError naming the ``option``.

    That is also where the ``engine`` cannot follow it.
    """
    try:
        config = build_settings(profile="default", metadata="", gen_kwargs=gen_kwargs, samples="", tasks=(), given={})
        if engine is not None:
            check_sampling(engine, config.settings.sampling)
    except TurnwiseError as error:
        raise TurnwiseError(str(error).replace("--gen_kwargs", option)) from None
    return config.settings.sampling


def _dialogues(options: RlefOptions, tasks: Sequence[Task], settings: RlefSettings) -> RunConfig:
    """Return the settings of the dialogues that are learnt, and of their judge."""
    config = build_settings(
        profile="default",
        metadata=options.metadata,
        gen_kwargs=options.gen_kwargs,
        samples=options.samples,
        tasks=tasks,
        given=options.given(),
    )
    for name in ("samples_per_problem", "n_at_k"):
        if name in json.loads(options.metadata or "{}"):
            raise TurnwiseError(
                f"--metadata has {name}, which no training has: --group says how many dialogues of a problem an "
                "iteration has; leave it out."
            )
    sampling = _sampling(options.gen_kwargs, "--gen-kwargs")
    temperature = 1.0 if sampling.temperature is None else sampling.temperature
    sampling = replace(sampling, temperature=temperature, max_tokens=settings.max_reply_tokens)
    check_behaviour_policy(sampling)
    return replace(config, settings=replace(config.settings, samples_per_problem=1, n_at_k=(), sampling=sampling))


def _evaluation(
    options: RlefOptions, tasks: Sequence[Task], config: RunConfig, settings: RlefSettings
) -> tuple[tuple[Task, ...], RunSettings]:
    """Return the tasks that measure the policy of ``tasks``, and how: over all their turns, with true feedback.

    So trainings of other feedback, and of fewer turns, are measured alike.
    """
    if options.evaluation_samples < 1:
        raise TurnwiseError(f"--evaluation-samples is {options.evaluation_samples}: give 1 or more.")
    sampling = _sampling(options.evaluation_kwargs, "--evaluation-kwargs", engine=options.rollout_engine.value)
    if sampling.max_tokens is None:
        sampling = replace(sampling, max_tokens=settings.max_reply_tokens)
    before = config.settings
    asked = replace(
        before,
        samples_per_problem=options.evaluation_samples,
        feedback=_true(before.feedback),
        turns=tuple(replace(turn, feedback=_true(turn.feedback)) for turn in before.turns),
        max_turns=None,
        n_at_k=RUN_PROFILES["rlef"].settings.n_at_k,
        sampling=sampling,
        limit=None,
        samples={},
    )
    names = options.evaluate or (_VALIDATION if any(task.benchmark.name == "codecontests" for task in tasks) else _NONE)
    if names == _NONE:
        return (), asked
    measured = find_tasks(names, find_benchmarks(options.benchmark, tasks=names))
    if not any(task.is_training for task in measured):
        asked = replace(asked, own_solutions=DEFAULT_OWN_SOLUTIONS)
    return measured, with_supported_metrics(asked, measured)


def _true(feedback: str) -> str:
    return DEFAULT_FEEDBACK if feedback in _FALSE_FEEDBACK else feedback


def _workers(options: RlefOptions, environ: Mapping[str, str]) -> int:
    """Return how many programs this process judges at a time, 0 for all cores: its share of a node's."""
    together = process_number(environ, "LOCAL_WORLD_SIZE", default=1)
    if options.workers or together < 2:
        return options.workers
    return max(1, usable_cores() // together - 1)


def dialogue_lines(plan: Plan) -> list[str]:
    """Return what is asked how often: the problems, and the iterations."""
    settings, problems = plan.settings, plan.problems
    visits = settings.iterations * settings.rollouts / settings.group / problems
    names = ", ".join(loaded.task.name for loaded in plan.training.tasks)
    return [
        f"Problems: {problems:,} of {names}, each asked {visits:.2f} times in groups of {settings.group}.",
        f"Iterations: {settings.iterations:,} of {settings.rollouts:,} dialogues of at most {plan.turns} turn(s), at "
        f"most {settings.rollouts * settings.max_length:,} tokens; {settings.iterations * settings.minibatches:,} "
        "updates in all.",
    ]


def describe(plan: Plan, checked: Checked) -> list[str]:
    """Return what a training will be, a line a matter."""
    settings, shape, needed = plan.settings, checked.shape, checked.estimate
    devices = f"{plan.processes} devices" if plan.processes > 1 else "1 device"
    trained = f"{shape.trained:,} trained (LoRA of rank {settings.lora_rank})" if settings.lora_rank else "all trained"
    value = "no value" if settings.value == "none" else f"a value at each {settings.value}"
    free = "" if checked.memory is None else f", {gigabytes(checked.memory)} free"
    lines = [
        *dialogue_lines(plan),
        f"Parameters: {shape.parameters:,}, {trained}, {settings.dtype}; {value}; {devices}.",
        f"Memory: about {gigabytes(needed.memory)} a device: states {gigabytes(needed.states)}, and to learn "
        f"{gigabytes(needed.activations + needed.logits)}, or to sample {gigabytes(needed.rollouts)}{free}.",
        f"Disk: about {gigabytes(needed.disk)}, {gigabytes(checked.disk)} free.",
    ]
    if plan.training.measured:
        measured = ", ".join(loaded.task.name for loaded in plan.training.measured)
        lines.append(f"Evaluations: {measured}, before the first iteration and every {settings.evaluate_iterations}.")
    if settings.warmup_updates >= settings.iterations * settings.minibatches:
        lines.append(
            f"The rate rises over {settings.warmup_updates:,} updates, and there are "
            f"{settings.iterations * settings.minibatches:,}: it never comes to its peak; give fewer --warmup-updates."
        )
    if plan.train_on_test:
        lines.append(f"The model has learnt tests ({', '.join(plan.train_on_test)}): the trained one's rows say so.")
    if plan.latest:
        lines.append(f"Goes on from checkpoint-{plan.latest}.")
    return lines
