"""An engine's processes open the environments that were recorded, or none."""

import json
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_training import ToyTraining, write_files

from turnwise.errors import TurnwiseError
from turnwise.runners.loading import load_decoys
from turnwise.training.engines.configuration import Nodes
from turnwise.training.engines.environments import OpenedEnvironments, environments_of, open_folder
from turnwise.training.engines.files import engine_files
from turnwise.training.problems import TrainingProblems

WRONG, RIGHT = (f"```python\nprint(int(input())*{number})\n```" for number in (4, 7))


@pytest.fixture
def folder(toy: ToyTraining, tmp_path: Path) -> Path:
    """What ``rlef --engine`` wrote."""
    files = engine_files("skyrl", toy.record, toy.problems, folder=tmp_path, sources=toy.sources, nodes=Nodes(gpus=4))
    return write_files(tmp_path, files)


def change(path: Path, *place: str, value: object) -> None:
    """Change one value of a JSON file."""
    data: Any = json.loads(path.read_text())
    *outer, last = place
    inner = data
    for name in outer:
        inner = inner[int(name)] if isinstance(inner, list) else inner[name]
    inner[last] = value
    path.write_text(json.dumps(data))


def test_what_is_opened_is_what_was_recorded(toy: ToyTraining, tmp_path: Path) -> None:
    """The same problems, settings, decoys and rewards; the messages are those of the training's own environments."""
    programs = tmp_path / "wrong.jsonl"
    ids = toy.environments.problems[:3]
    programs.write_text("".join(json.dumps({"problem": name, "program": "print(77)"}) + "\n" for name in ids))
    dialogues = replace(toy.record.dialogues, feedback="random")
    nowhere: Any = None  # no program is run
    decoys = load_decoys(toy.problems.loaded, dialogues, nowhere, path=programs, runnable=False)
    recorded = {task: pool.to_record() for task, pool in decoys.items()}
    record = replace(toy.record, dialogues=replace(dialogues, decoys=recorded))
    problems = TrainingProblems(toy.problems.loaded, dialogues, toy.problems.prompts, decoys)
    sources = replace(toy.sources, incorrect_programs=programs)
    nodes = Nodes(gpus=4)
    folder = write_files(
        tmp_path / "engine", engine_files("skyrl", record, problems, folder=tmp_path, sources=sources, nodes=nodes)
    )
    opened = open_folder(folder, environ=os.environ)
    with closing(opened.environments):
        assert opened.record == record and opened.environments.problems == toy.environments.problems
        environment = opened.make("toy_train/mul-7-told")
        row = next(line for line in (folder / "problems.jsonl").read_text().splitlines() if "mul-7-told" in line)
        assert (
            environment.reset() == toy.environments.make("toy_train/mul-7-told", 0).reset() == json.loads(row)["prompt"]
        )
        step = environment.step(WRONG)
        assert "77" in step.messages[0]["content"]  # what another problem's wrong program printed
        assert (step := environment.step(RIGHT)).done and step.reward == 1.0


def test_each_dialogue_about_a_problem_has_a_sample_of_its_own(toy: ToyTraining) -> None:
    """Counted by problem where an engine does not number them."""
    opened = OpenedEnvironments(toy.record, toy.environments)
    names = ["toy_train/mul-7-told", "toy_train/add-1-told", "toy_train/mul-7-told"]
    assert [opened.make(name).sample for name in names] == [0, 0, 1]
    assert opened.make(names[0], 9).sample == 9


@pytest.mark.parametrize(
    ("file", "place", "value", "sentence"),
    [
        ("rlef.json", ("tasks", "0", "data_sha256"), "0" * 64, "are not those of the run"),
        ("environment.json", ("workers",), "two", "environment.json' cannot be read"),
        ("rlef.json", ("prompts", "set"), "other", "The prompts .* are others than those of"),
        ("rlef.json", ("judge", "interpreter"), "Python 2.7", "The judge of this machine .* is another"),
        ("rlef.json", ("settings",), None, r"rlef.json' cannot be read .*rlef\s+--engine"),
    ],
)
def test_what_is_other_than_recorded_is_refused(
    folder: Path, file: str, place: tuple[str, ...], value: object, sentence: str
) -> None:
    """Data, prompts and judge, before the first dialogue."""
    change(folder / file, *place, value=value)
    with pytest.raises(TurnwiseError, match=sentence):
        environments_of(str(folder))
