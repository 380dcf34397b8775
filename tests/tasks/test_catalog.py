"""Tasks by name and glob."""

import re
from pathlib import Path

import pytest

from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import TurnwiseError
from turnwise.tasks.catalog import TASKS, find_tasks, training_tasks

OWN = """
from turnwise.benchmarks.benchmark import Benchmark, Stem
from turnwise.benchmarks.json_lines import parse_json_lines

BENCHMARK = Benchmark(
    name="toy", parse=parse_json_lines, rows=lambda split: [], splits=("test", "train"),
    stems=(Stem("toy"), Stem("toy_practice", "train")),
)
"""


def test_the_tasks_that_users_type_exist() -> None:
    """Multi-turn tasks ask three turns, each has a single-turn twin."""
    for stem in ("codecontests", "codecontests_valid", "taco_very_hard", "humaneval_plus", "mbpp_plus", "sample_taco"):
        assert (TASKS[f"{stem}_multiturn"].max_turns, TASKS[f"{stem}_singleturn"].max_turns) == (3, 1)
    assert TASKS["taco_medium_hard_multiturn"].difficulty == "MEDIUM_HARD"
    assert TASKS["codecontests_valid_multiturn"].split == "valid"


def test_globs_and_lists_select_once_in_catalogue_order() -> None:
    """A task named twice is run once."""
    names = [task.name for task in find_tasks("mbpp_plus_multiturn, *_plus_multiturn,")]
    assert names == [
        "humaneval_plus_multiturn",
        "mbpp_plus_multiturn",
        "sample_humaneval_plus_multiturn",
        "sample_mbpp_plus_multiturn",
    ]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            "codecontests_multitrn",
            "Unknown task 'codecontests_multitrn': do you mean codecontests_multiturn or ",
        ),
        ("taco_*_multiturn,nothing*", "Unknown task 'nothing*': turnwise tasks lists those there are."),
        ("", "No task given: turnwise tasks lists those there are."),
        (" , ", "No task given: turnwise tasks lists those there are."),
    ],
)
def test_a_name_that_selects_nothing_is_an_error(names: str, message: str) -> None:
    """The names nearest to it are offered, not a screen of all."""
    with pytest.raises(TurnwiseError, match=f"^{re.escape(message)}"):
        find_tasks(names)


def test_training_tasks_are_chosen_by_their_full_names_alone() -> None:
    """No glob takes one, beside others or alone; a sentence names those that it matches."""
    training = [f"{stem}_train_{twin}" for stem in ("codecontests", "taco") for twin in ("multiturn", "singleturn")]
    assert [name for name, task in TASKS.items() if task.is_training] == training
    assert training_tasks("codecontests_*, taco_*_singleturn") == [*training[:2], training[3]]
    for glob in ("*", "codecontests_*", "*_multiturn", "[ct]*"):
        assert not any(task.is_training for task in find_tasks(glob))
    names = "taco_train_singleturn, sample_taco_*, codecontests_train_multiturn"
    assert [task.name for task in find_tasks(names) if task.is_training] == [training[0], training[3]]
    for glob in ("codecontests_train_*", "codecontests_train_multitur?", "codecontests_multiturn,*s_train_multiturn"):
        with pytest.raises(TurnwiseError, match=r"chosen by their full names alone \(codecontests_train_multiturn"):
            find_tasks(glob)


@pytest.mark.parametrize(
    ("file", "is_training"),
    [("toy_train.jsonl", True), ("toy.jsonl", False), ("toy_trained.jsonl", False), ("toy.py", True)],
)
def test_a_benchmark_of_the_users_own_is_for_training_by_its_split(
    file: str, is_training: bool, tmp_path: Path
) -> None:
    """The split train: that of a file of JSON lines whose name ends in _train, or what a Python file's stem says."""
    path = tmp_path / file
    path.write_text(OWN if file.endswith(".py") else "{}\n")
    benchmarks = find_benchmarks(str(path))
    stem = "toy_practice" if file.endswith(".py") else path.stem
    (task,) = find_tasks(f"{stem}_multiturn", benchmarks)
    assert task.is_training is is_training
    assert (task in find_tasks("*", benchmarks)) is not is_training
