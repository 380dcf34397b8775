"""The iterations of a reinforcement learning: sample, judge, learn, save, measure; on from the last checkpoint.

    train(plan, parts, stop=...)     True once the model is done, False when ``stop`` said so

An iteration's dialogues are on the disk as they end, and stay there until a checkpoint holds their update; lines of the
log beyond the checkpoint are dropped. So the same line goes on after any end, and makes the same weights on one CPU
thread. Several processes sample a share of the dialogues each and learn together; the main one writes, and measures.
Torch and transformers are imported inside functions; what they print is kept from standard output.
"""

import contextlib
import dataclasses
import logging
import math
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import inside, write_atomically
from turnwise.records.codec import to_line
from turnwise.records.rlef import (
    ITERATIONS,
    ROLLOUTS,
    LoggedIteration,
    RolloutFigures,
    Seconds,
    UpdateFigures,
    read_iterations,
    read_rlef,
    write_rlef,
)
from turnwise.records.training import checkpoints_in, describe_trained
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import Machine
from turnwise.runners.models.hf import HFOptions
from turnwise.runners.models.sampler import Model
from turnwise.runners.models.weights import LiveModel
from turnwise.runners.sampling import Job, sample
from turnwise.training.episodes import Episode
from turnwise.training.problems import TrainingProblems
from turnwise.training.process_group import (
    done_by_main,
    left_at_its_end,
    of_main,
    wait_for_all,
)
from turnwise.training.rlef.checkpoints import (
    export_model,
    keep_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from turnwise.training.rlef.figures import rollout_figures
from turnwise.training.rlef.plan import POLICY, Plan
from turnwise.training.rlef.policy_engines import LivePolicy, PolicyEngine, SentPolicy
from turnwise.training.rollouts import Rollouts
from turnwise.training.tokenizer import open_tokenizer
from turnwise.training.training_folder import lock_folder, remove_halves

_LOCK, _SCORES = "rlef.lock", "scores.json"
_GROUP_HOURS = 6  # that processes wait for one that samples or measures
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Parts:
    """What training works with: the machine that judges, its judge, and what it tells whom.

    ``open_engine`` starts the engine that samples in place of the networks.
    ``evaluate`` writes the scores of a run folder where they are not there, and returns the number by which checkpoints
    are compared (None for none); ``on_iteration`` is told each line of the log; ``on_progress`` what is done meanwhile.
    """

    machine: Machine
    judge: Judge
    evaluate: Callable[[Path], float | None] = lambda _: None
    on_iteration: Callable[[LoggedIteration], None] = lambda _: None
    on_progress: Progress = lambda *_: None
    open_engine: Callable[[], LiveModel] | None = None


def train(plan: Plan, parts: Parts, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Train from the last whole checkpoint on; return whether the model is done, False once ``stop`` said so.

    ``stop`` is asked after each iteration: then a checkpoint is saved, and this returns. Every process of a training
    calls it. Raises TurnwiseError if a loss is no number, or another process trains in the folder.
    """
    if not plan.is_main:
        with _quiet():
            return _train(plan, parts, stop)
    plan.output.mkdir(parents=True, exist_ok=True)
    lock = lock_folder(plan.output, _LOCK)
    try:
        plan.check_same()
        if read_rlef(plan.output) is None:
            write_rlef(plan.output, plan.record)
        remove_halves(plan.output)
        with _quiet():
            is_left = plan.latest < plan.settings.iterations or plan.processes > 1 or not _is_measured(plan)
            if is_left and not _train(plan, parts, stop):
                return False
            last = plan.settings.iterations
            export_model(plan.output, last, plan.checkpoint, plan.trained_model(last))
            shutil.rmtree(plan.output / POLICY, ignore_errors=True)
        return True
    finally:
        lock.release()


def _is_measured(plan: Plan) -> bool:
    """Return whether the evaluation of the end is there, so that no weights have to be loaded for it."""
    last = plan.settings.iterations
    return not plan.is_evaluated(last) or _is_scored(plan.evaluation(last))


def _is_scored(folder: Path) -> bool:
    return (folder / _SCORES).is_file()


def _train(plan: Plan, parts: Parts, stop: Callable[[], bool]) -> bool:
    with left_at_its_end():
        import torch

        if plan.processes > 1:
            _join(plan)
        latest = of_main(plan.latest)
        try:
            with contextlib.closing(_Trainer(plan, parts)) as trainer:
                if latest:
                    trainer.load(latest)
                return trainer.run(latest, stop)
        except torch.OutOfMemoryError:
            raise InfrastructureError(
                f"Training does not fit the accelerator's memory, {plan.settings.tokens_at_a_time:,} tokens at a time: "
                "give --lora RANK, fewer --tokens-at-a-time or --rollout-batch, or larger devices."
            ) from None


def _join(plan: Plan) -> None:
    """Be one of the processes that train together."""
    from accelerate import PartialState

    PartialState(cpu=plan.device == "cpu", timeout=timedelta(hours=_GROUP_HOURS))


class _Trainer:
    """The networks, their optimizers and whoever samples from them, in one process."""

    def __init__(self, plan: Plan, parts: Parts) -> None:
        from turnwise.training.rlef.networks import Networks
        from turnwise.training.rlef.update import Updater

        self._plan, self._parts = plan, parts
        training, settings, device = plan.training, plan.settings, plan.device
        name = training.tokenizer or training.model.name
        self._tokenizer = open_tokenizer(
            name, revision=training.model.revision, trust_remote_code=training.model.trust_remote_code
        )
        sent = parts.open_engine() if parts.open_engine is not None else None
        if sent is not None:  # takes its memory before the networks do
            sent.sleep()
        self._networks = Networks.load(training.model, settings, device=device)
        self._updater = Updater(self._networks, settings, device=device, is_distributed=plan.processes > 1)
        self._engine = self._engine_of(sent)
        self._problems = TrainingProblems(training.tasks, training.dialogues, training.prompts, training.decoys)
        self._rollouts = Rollouts(
            self._problems,
            parts.judge,
            settings,
            inside(plan.output, ROLLOUTS),
            rank=plan.rank,
            processes=plan.processes,
            on_progress=self._sampled,
        )
        self._log: list[LoggedIteration] = []
        self._saved = 0

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()

    def load(self, iteration: int) -> None:
        """Go on from a checkpoint."""
        load_checkpoint(self._plan.output, iteration, networks=self._networks, updater=self._updater)

    def run(self, latest: int, stop: Callable[[], bool]) -> bool:
        """Make the iterations behind ``latest``; return False where ``stop`` ended it before the last."""
        plan, last = self._plan, self._plan.settings.iterations
        self._saved = latest
        self._log = []
        if plan.is_main:
            self._log = [logged for logged in read_iterations(plan.output) if logged.iteration <= latest]
        self._by_main(lambda: _write_log(plan.output, self._log))
        self._measure(latest)
        for iteration in range(latest + 1, last + 1):
            self._iterate(iteration)
            is_told = self._is_told(stop) and iteration < last
            if plan.is_saved(iteration) or is_told:
                self._by_main(partial(self._save, iteration))
                self._rollouts.forget(iteration)
                self._saved = iteration
            self._measure(iteration)
            if is_told:
                return False
        return True

    def _iterate(self, iteration: int) -> None:
        """Sample the dialogues of an iteration, learn them, and write its line."""
        plan, parts, began = self._plan, self._parts, time.monotonic()
        with self._engine.opened() as engine:
            episodes = self._rollouts.sample(iteration, engine)
        sampling, judging = self._rollouts.seconds
        updating = time.monotonic()
        update = self._updater.update(episodes, iteration=iteration)
        _check_finite(update, iteration, self._saved)
        seconds = Seconds(
            round(sampling, 3),
            round(judging, 3),
            round(time.monotonic() - updating, 3),
            total=round(time.monotonic() - began, 3),
        )
        everyone = _gathered(episodes) if plan.processes > 1 else episodes

        def write() -> None:
            names = (plan.evaluation(iteration).name,) if plan.is_evaluated(iteration) else ()
            self._log.append(LoggedIteration(iteration, self._figures(everyone, iteration), update, seconds, names))
            _write_log(plan.output, self._log)
            parts.on_iteration(self._log[-1])

        self._by_main(write)

    def _figures(self, episodes: Sequence[Episode], iteration: int) -> RolloutFigures:
        return rollout_figures(
            episodes,
            rewards=self._plan.settings.rewards,
            guessed=self._problems.guessed,
            seed=self._plan.settings.seed + iteration,
        )

    def _save(self, iteration: int) -> None:
        plan = self._plan
        save_checkpoint(
            plan.output,
            iteration,
            plan.trained_model(iteration),
            networks=self._networks,
            updater=self._updater,
            tokenizer=self._tokenizer,
        )
        keep_checkpoints(plan.output, _best(plan, self._parts))

    def _measure(self, iteration: int) -> None:
        """Ask the policy the tasks of evaluations where it is due, and say in the log how long that took."""
        if self._plan.is_evaluated(iteration):
            self._by_main(partial(self._measure_here, iteration))

    def _measure_here(self, iteration: int) -> None:
        plan, parts, began = self._plan, self._parts, time.monotonic()
        folder = plan.evaluation(iteration)
        if _is_scored(folder):
            return
        with self._engine.opened():
            training = plan.training
            model = self._engine.model(training.evaluation.sampling, description_of(plan, iteration))
            _run(model, plan, parts, folder, self._engine.runner)
        parts.evaluate(folder)
        if self._log and self._log[-1].iteration == iteration:
            line = self._log[-1]
            measured = replace(line.seconds, evaluation=round(time.monotonic() - began, 3))
            self._log[-1] = replace(line, seconds=measured)
            _write_log(plan.output, self._log)
            parts.on_iteration(self._log[-1])
        keep_checkpoints(plan.output, _best(plan, parts))

    def _engine_of(self, sent: LiveModel | None) -> PolicyEngine:
        plan = self._plan
        if sent is not None:
            return SentPolicy(sent, self._networks, plan.output / POLICY)
        training, settings = plan.training, plan.settings
        options = HFOptions(training.model.name, max_length=settings.max_length, system_role=training.system_role)
        return LivePolicy(
            self._networks,
            self._tokenizer,
            options,
            sampling=training.dialogues.sampling,
            batch=settings.rollout_batch,
        )

    def _sampled(self, done: int, total: int) -> None:
        if self._plan.is_main and done < total:
            self._parts.on_progress("dialogues", done, total)

    def _is_told(self, stop: Callable[[], bool]) -> bool:
        """Return whether this process, or another of the training, was told to stop."""
        from accelerate.utils import gather_object

        is_told = stop()
        return any(gather_object([is_told])) if self._plan.processes > 1 else is_told

    def _by_main(self, action: Callable[[], None]) -> None:
        if self._plan.processes == 1:
            action()
            return
        wait_for_all()
        done_by_main(action, is_main=self._plan.is_main)


def description_of(plan: Plan, iteration: int) -> dict[str, str]:
    """Return what run.json of an evaluation says of the policy after ``iteration``, 0 for the model it begins with."""
    model = plan.trained_model(iteration)
    if not iteration:
        return {"iteration": "0"}
    return {"model": f"{plan.output.resolve().name}/checkpoint-{iteration}", **describe_trained(model)}


def _run(model: Model, plan: Plan, parts: Parts, folder: Path, runner: InterruptibleRunner | None) -> None:
    training = plan.training
    machine = replace(parts.machine, judge=parts.judge, on_progress=parts.on_progress)
    job = Job(
        training.measured,
        model,
        training.evaluation,
        training.prompts,
        command=plan.record.command,
        judge=training.judge,
    )
    sample(job, machine, output=folder, runner=runner)


def _best(plan: Plan, parts: Parts) -> set[int]:
    """Return the iteration whose evaluation is best, the latest of equals; none without evaluations."""
    scores = {}
    for iteration in filter(plan.is_evaluated, checkpoints_in(plan.output)):
        folder = plan.evaluation(iteration)
        if _is_scored(folder) and (score := parts.evaluate(folder)) is not None:
            scores[iteration] = score
    return {max(scores, key=lambda iteration: (scores[iteration], iteration))} if scores else set()


def _check_finite(update: UpdateFigures, iteration: int, saved: int) -> None:
    """Raise TurnwiseError for an update of which a figure is no number."""
    for name in dataclasses.asdict(update):
        value = getattr(update, name)
        if value is not None and not math.isfinite(value):
            stands = f"; checkpoint-{saved} stands" if saved else ""
            raise TurnwiseError(
                f"The {name.replace('_', ' ')} of iteration {iteration} is {value}, so training stopped{stands}: give "
                "a smaller --learning-rate, and another --output_path."
            )


def _write_log(output: Path, lines: Sequence[LoggedIteration]) -> None:
    write_atomically(inside(output, ITERATIONS), "".join(f"{to_line(line)}\n" for line in lines))


def _gathered(episodes: Sequence[Episode]) -> list[Episode]:
    """Return the episodes of all processes."""
    from accelerate.utils import gather_object

    return list(gather_object(list(episodes)))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep what libraries print and warn of away from the user; errors are raised all the same."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")
            import transformers

            transformers.utils.logging.disable_progress_bar()
            yield
    finally:
        logging.disable(logging.NOTSET)
