"""What a reinforcement learning is of: its model, its problems, its settings, and the folder that it writes.

Made of what is cheap to know: problems that are loaded, and the model's digest. No weights are read.
"""

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import turnwise
from turnwise.errors import MissingExtraError, TurnwiseError
from turnwise.records.codec import to_json
from turnwise.records.rlef import EVALUATIONS, ITERATIONS, PAGE, RLEF, ROLLOUTS, RlefRecord, RlefSettings, read_rlef
from turnwise.records.run_folder import TaskRecord
from turnwise.records.settings import JudgeSettings, PromptsRecord, RunSettings
from turnwise.records.training import FINE_TUNING, TrainedModel
from turnwise.runners.judging.judge import Judge, judge_record
from turnwise.runners.loading import LoadedTask, Machine
from turnwise.tasks.decoys import DecoyPool
from turnwise.tasks.plan import strategy_of, turns_of
from turnwise.tasks.prompts import PromptSet
from turnwise.training.base_model import BaseModel
from turnwise.training.processes import process_number, rank_of
from turnwise.training.rlef.settings import check_settings
from turnwise.training.training_folder import TrainingPlan, check_equal, versions_of

POLICY = "policy"  # the weights that another engine than hf samples with
_PACKAGES = ("torch", "transformers", "peft", "accelerate")
_COMPARED = (
    "settings",
    "model",
    "rollouts",
    "dialogues",
    "judge",
    "prompts",
    "tasks",
    "evaluation",
    "processes",
)


@dataclass(frozen=True, slots=True)
class Training:
    """A reinforcement learning that is asked for: whose dialogues are sampled, judged and learnt, and where.

    ``measured`` are the tasks of evaluations, asked by the settings ``evaluation``. ``engine`` samples the dialogues.
    ``device`` is cpu or cuda; "" takes an accelerator where there is one. Without ``system_role`` a system message
    opens the first question.
    """

    output: Path
    model: BaseModel
    settings: RlefSettings
    dialogues: RunSettings
    judge: JudgeSettings
    prompts: PromptSet
    tasks: Sequence[LoadedTask]
    decoys: Mapping[str, DecoyPool] = field(default_factory=dict)
    measured: Sequence[LoadedTask] = ()
    evaluation: RunSettings = field(default_factory=RunSettings)
    engine: str = "hf"
    tokenizer: str = ""
    device: str = ""
    system_role: bool = True
    command: str = ""

    def plan(self, machine: Machine, environ: Mapping[str, str]) -> "Plan":
        """Return what it is of; raises TurnwiseError for settings or a model that cannot be."""
        check_settings(self.settings)
        rank = rank_of(environ)
        model = self.model.record() if rank == 0 else None
        environment = Judge(machine.executor, matcher=self.judge.matcher).environment
        record = RlefRecord(
            turnwise=turnwise.__version__,
            command=self.command,
            settings=self.settings,
            model={
                "name": self.model.name,
                "digest": model.digest if model is not None else "",
                **({} if self.system_role else {"system_role": "user"}),
            },
            rollouts=self.engine,
            dialogues=replace(self.dialogues, decoys={task: pool.to_record() for task, pool in self.decoys.items()}),
            judge=judge_record(environment, self.judge),
            prompts=PromptsRecord(self.prompts.name, dict(self.prompts.hashes)),
            tasks=tuple(loaded.to_record(self.dialogues) for loaded in self.tasks),
            evaluation={loaded.task.name: self.evaluation for loaded in self.measured},
            processes=max(1, process_number(environ, "WORLD_SIZE", default=1)),
            versions=versions_of(_PACKAGES),
        )
        return Plan(self, record, rank, dict(environ))


@dataclass(frozen=True)
class Plan(TrainingPlan):
    """A training as it will be, of which this is process number ``rank``.

    Only the main process knows the digest of the model, which takes reading it whole.
    """

    training: Training
    record: RlefRecord
    rank: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> RlefSettings:
        """The settings of training."""
        return self.record.settings

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return self.record.processes

    @property
    def turns(self) -> int:
        """The most turns of a dialogue."""
        return max(turns_of(self.training.dialogues, loaded.task) for loaded in self.training.tasks)

    @property
    def calls(self) -> int:
        """The most calls of a dialogue: a turn has two where a reasoning prompt is asked first."""
        strategies = [strategy_of(self.training.dialogues, loaded.task) for loaded in self.training.tasks]
        return max(sum(1 + bool(turn.reasoning) for turn in strategy.turns) for strategy in strategies)

    @property
    def problems(self) -> int:
        """How many problems are asked."""
        return sum(len(loaded.asked) for loaded in self.training.tasks)

    @property
    def steps(self) -> int:
        """How many iterations it has."""
        return self.settings.iterations

    @property
    def is_done(self) -> bool:
        """Whether the trained model is there, with its weights."""
        return super().is_done and any(self.checkpoint.glob("*.safetensors"))

    @property
    def device(self) -> str:
        """Where this process trains: cpu, or one of the accelerators."""
        kind, local = super().device, process_number(self.environ, "LOCAL_RANK")
        return f"cuda:{local}" if kind == "cuda" and self.processes > 1 else kind

    @property
    def train_on_test(self) -> tuple[str, ...]:
        """The test tasks that the model it begins with has learnt."""
        return self.before.train_on_test if self.before is not None else ()

    def is_evaluated(self, iteration: int) -> bool:
        """Whether the policy after ``iteration`` is measured: before the first, now and then, and in the end."""
        settings = self.settings
        is_due = iteration % settings.evaluate_iterations == 0 or iteration == settings.iterations
        return bool(self.training.measured) and is_due

    def is_saved(self, iteration: int) -> bool:
        """Whether a checkpoint is made after ``iteration``: now and then, and wherever the policy is measured."""
        settings = self.settings
        is_due = iteration % settings.save_iterations == 0 or iteration == settings.iterations
        return is_due or self.is_evaluated(iteration)

    def evaluation(self, iteration: int) -> Path:
        """Return the run folder that measures the policy after ``iteration``."""
        return self.output / EVALUATIONS / f"{iteration:06d}"

    def trained_model(self, iteration: int) -> TrainedModel:
        """Return what the model says of itself after ``iteration``."""
        earlier = self.before.tasks if self.before is not None else ()
        return TrainedModel(
            turnwise=self.record.turnwise,
            method="rlef",
            base_model=self.record.model["name"],
            data_sha256=data_digest(self.record.tasks),
            tasks=tuple(dict.fromkeys((*earlier, *(task.task for task in self.record.tasks)))),
            train_on_test=self.train_on_test,
            settings=self.settings,
            step=iteration,
            command=self.record.command,
            feedback="+".join(dict.fromkeys(self._feedback())),
            turns=self.turns,
        )

    def _feedback(self) -> Iterator[str]:
        for loaded in self.training.tasks:
            for turn in strategy_of(self.training.dialogues, loaded.task).turns[1:]:
                yield turn.feedback

    def check_same(self) -> None:
        """Raise TurnwiseError if the folder holds another training, or what is in the way of this one."""
        frozen = read_rlef(self.output)
        if frozen is None:
            self._check_free()
            return
        self.check_goes_on(frozen, self.output)

    def check_goes_on(self, frozen: RlefRecord, folder: Path) -> None:
        """Raise TurnwiseError if what was begun in ``folder``, as ``frozen`` says, is another training than this."""
        there, here = _compared(frozen), _compared(self.record)
        if frozen.model["digest"] == self.record.model["digest"]:  # the same one by another path
            there["model"] = {**frozen.model, "name": self.record.model["name"]}
        check_equal(folder, there, here)

    def _check_free(self) -> None:
        """Raise TurnwiseError for files that are not of this training where it is to write.

        A model's folder is refused, too: with a record in it, its digest would be another at the next start.
        """
        names = ("config.json", FINE_TUNING, "run.json", "checkpoint*", ITERATIONS, ROLLOUTS, EVALUATIONS, PAGE, POLICY)
        foreign = next((path for name in names for path in sorted(self.output.glob(name))), None)
        if foreign is not None:
            raise TurnwiseError(
                f"The folder {str(self.output)!r} holds {foreign.name!r}, and no {RLEF}: give another --output_path."
            )


def check_packages() -> None:
    """Raise MissingExtraError for a package without which nothing can be trained."""
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError("turnwise rlef", package, "train")


def data_digest(tasks: Sequence[TaskRecord]) -> str:
    """Return the digest of the problems that are asked: those of each task, and the data that they are of."""
    digest = sha256()
    for task in tasks:
        lines = (task.task, task.data_sha256, task.benchmark_sha256, *(problem.id for problem in task.asked))
        digest.update("".join(f"{line}\n" for line in lines).encode())
    return digest.hexdigest()


def _compared(record: RlefRecord) -> dict[str, object]:
    data = to_json(record)
    return {name: data[name] for name in _COMPARED}
