"""A training on the problems of the miniature, as ``turnwise rlef --engine`` hands it to an engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from miniature import write_problems

from turnwise.records.rlef import RlefRecord, RlefSettings
from turnwise.records.settings import JudgeSettings, PromptsRecord
from turnwise.runners.judging.judge import judge_record
from turnwise.training.engines.environments import Sources
from turnwise.training.environment import Environments, open_environments
from turnwise.training.problems import TrainingProblems

SETTINGS = RlefSettings(iterations=30, rollouts=16, group=2, minibatches=2, max_length=512, max_reply_tokens=64)


@dataclass(frozen=True)
class ToyTraining:
    """54 problems, three turns, and where they lie."""

    environments: Environments
    record: RlefRecord
    sources: Sources

    @property
    def problems(self) -> TrainingProblems:
        """What is asked."""
        return self.environments.training_problems

    def with_settings(self, **settings: object) -> RlefRecord:
        """Return the record of a training of other ``settings``."""
        return replace(self.record, settings=replace(SETTINGS, **settings))  # type: ignore[arg-type]


@contextmanager
def open_training(folder: Path) -> Iterator[ToyTraining]:
    """Yield the training, with its environments open; its problems are written to ``folder``."""
    file, _ = write_problems(folder)
    with open_environments("toy_train_multiturn", benchmark=str(file), own_solutions=0, workers=2) as environments:
        problems = environments.training_problems
        record = RlefRecord(
            turnwise="0",
            command="turnwise rlef",
            settings=SETTINGS,
            model={"name": "a/model", "digest": ""},
            rollouts="hf",
            dialogues=problems.settings,
            judge=judge_record(environments.judge.environment, JudgeSettings()),
            prompts=PromptsRecord(problems.prompts.name, problems.prompts.hashes),
            tasks=tuple(loaded.to_record(problems.settings) for loaded in problems.loaded),
        )
        yield ToyTraining(environments, record, Sources(benchmark=str(file), workers=2))


def write_files(folder: Path, files: dict[str, str]) -> Path:
    """Write an engine's files and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
