"""A reinforcement learning that takes a second: four problems, eight dialogues an iteration, a tiny model."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from miniature import write_problems

from turnwise.commands.training_options import RlefOptions
from turnwise.records.choices import BackEndName, TrainingType

TASK = "toy_train_multiturn"


def write_toy(folder: Path) -> Path:
    """Write four problems as a benchmark and return its file."""
    file = write_problems(folder)[0]
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:4]))
    return file


@contextmanager
def shared_machine(environ: dict[str, str]) -> Iterator[None]:
    """Have each ``turnwise rlef`` of this process use one machine, which takes a second to open."""
    from turnwise.commands import rlef

    with (
        rlef.open_machine(environ, lambda *_: None, workers=1) as machine,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(rlef, "open_machine", lambda *_, **__: nullcontext(machine))
        yield


def small_options(model: Path, problems: Path, output: Path, **more: Any) -> RlefOptions:
    """Return the options of three iterations, each saved, of dialogues of two turns in batches of four."""
    given: dict[str, Any] = {
        "metadata": '{"own_solutions": 0, "max_turns": 2}',
        "iterations": 3,
        "rollouts": 8,
        "group": 2,
        "minibatches": 2,
        "learning_rate": 1e-2,
        "warmup_updates": 1,
        "max_length": 1500,
        "max_reply_tokens": 4,
        "rollout_batch": 4,
        "save_iterations": 1,
        "dtype": TrainingType.FLOAT32,
        "workers": 1,
    }
    return RlefOptions(
        model=BackEndName.HF,
        model_args=f"model={model},device=cpu",
        tasks=TASK,
        benchmark=str(problems),
        output_path=output,
        **(given | more),
    )


def small_line(model: Path, problems: Path, output: Path, *more: object) -> list[str]:
    """Return the same as arguments of ``turnwise``."""
    options = small_options(model, problems, output)
    names = ("metadata", "iterations", "rollouts", "group", "minibatches", "learning_rate", "warmup_updates")
    names += ("max_length", "max_reply_tokens", "rollout_batch", "save_iterations", "dtype", "workers")
    given = [text for name in names for text in (f"--{name}", str(getattr(options, name)))]
    where = ["-M", "hf", "-a", options.model_args, "-t", TASK, "--benchmark", str(problems), "-o", str(output)]
    return ["rlef", *where, *given, *map(str, more)]
