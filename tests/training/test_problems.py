"""Which dialogues an iteration has: problems of training tasks alone, each once an epoch, the same ones every time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from miniature import write_problems

from turnwise.benchmarks.catalog import load_problems
from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import TurnwiseError
from turnwise.records.problem import Checker, Flag, Problem
from turnwise.records.settings import RunSettings
from turnwise.runners.loading import LoadedTask, open_task
from turnwise.tasks.catalog import TASKS, find_tasks
from turnwise.tasks.decoys import Decoy, DecoyPool
from turnwise.tasks.dialogue import Ask, Dialogue
from turnwise.tasks.prompts import PromptSet
from turnwise.training.problems import TrainingProblems, iteration_seed

PROMPTS = PromptSet.load()
TASK = "toy_train_multiturn"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedTask:
    """The miniature's problems, of which seven are asked."""
    file, _ = write_problems(tmp_path_factory.mktemp("problems"))
    (task,) = find_tasks(TASK, find_benchmarks(str(file)))
    return open_task(task, RunSettings(limit=7))


@pytest.fixture(scope="module")
def problems(loaded: LoadedTask) -> TrainingProblems:
    """Those seven."""
    return TrainingProblems([loaded], RunSettings(), PROMPTS)


def _ids(dialogues: list[Dialogue]) -> list[str]:
    return [dialogue.problem.id for dialogue in dialogues]


def test_each_epoch_has_every_problem_once(problems: TrainingProblems) -> None:
    """Iterations go on where the one before ended, across epochs."""
    visited = [name for n in range(1, 15) for name in _ids(problems.dialogues(n, rollouts=2, group=1, seed=3))]
    epochs = [visited[start : start + 7] for start in range(0, 28, 7)]
    assert all(Counter(epoch) == Counter(epochs[0]) and len(set(epoch)) == 7 for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_the_dialogues_follow_from_seed_and_iteration(problems: TrainingProblems) -> None:
    """Equal for equal ones, others for others."""
    first = problems.dialogues(2, rollouts=6, group=2, seed=3)
    again = problems.dialogues(2, rollouts=6, group=2, seed=3)
    assert [(dialogue.problem.id, dialogue.sample, dialogue.next_step()) for dialogue in first] == [
        (dialogue.problem.id, dialogue.sample, dialogue.next_step()) for dialogue in again
    ]
    assert _ids(problems.dialogues(1, rollouts=6, group=1, seed=3)) != _ids(
        problems.dialogues(1, rollouts=6, group=1, seed=4)
    )


def test_a_group_is_about_one_problem(problems: TrainingProblems) -> None:
    """Its dialogues stand together, with samples of their own."""
    dialogues = problems.dialogues(1, rollouts=6, group=3, seed=0)
    names = _ids(dialogues)
    assert names[0] == names[1] == names[2] != names[3] == names[4] == names[5]
    assert [dialogue.sample for dialogue in dialogues] == [0, 1, 2, 0, 1, 2]
    with pytest.raises(ValueError, match="7 rollouts are no multiple of a group of 3"):
        problems.dialogues(1, rollouts=7, group=3, seed=0)


def test_no_two_dialogues_have_one_name(problems: TrainingProblems) -> None:
    """Where a problem comes several times in an iteration, and over all iterations."""
    dialogues = [dialogue for n in (1, 2, 3) for dialogue in problems.dialogues(n, rollouts=40, group=2, seed=0)]
    assert len({(dialogue.problem.id, dialogue.sample) for dialogue in dialogues}) == 120
    seeds = [step.seed for dialogue in dialogues if isinstance(step := dialogue.next_step(), Ask)]
    assert len(set(seeds)) == 120


def test_seeds_change_with_the_iteration(problems: TrainingProblems) -> None:
    """So do the decoys that are drawn by them."""
    assert len({iteration_seed(seed, iteration) for seed in range(5) for iteration in range(1, 200)}) == 5 * 199
    assert problems.plan(TASK, 4, 1).seed == iteration_seed(1, 4) == iteration_seed(1, 4)


def test_two_tasks_are_asked_in_turn(loaded: LoadedTask) -> None:
    """Their dialogues have their own tasks' plans, mixed in one order."""
    other = replace(loaded, task=replace(loaded.task, name="toy_train_singleturn", max_turns=1))
    both = TrainingProblems([loaded, other], RunSettings(), PROMPTS)
    dialogues = both.dialogues(1, rollouts=14, group=1, seed=0)
    assert Counter(dialogue.task for dialogue in dialogues) == {TASK: 7, "toy_train_singleturn": 7}
    assert len({dialogue.task for dialogue in dialogues[:7]}) == 2
    assert len({(dialogue.task, dialogue.problem.id) for dialogue in dialogues}) == 14


def test_a_problem_is_found_by_its_id(problems: TrainingProblems, loaded: LoadedTask) -> None:
    """One that is not asked is none."""
    assert problems.find(loaded.asked[0].id) is loaded.asked[0]
    with pytest.raises(TurnwiseError, match="'toy/none' is no problem that toy_train_multiturn asks"):
        problems.find("toy/none")


def test_a_task_that_measures_models_is_refused(loaded: LoadedTask) -> None:
    """By its name, also beside one for training."""
    test = open_task(TASKS["sample_taco_multiturn"], RunSettings())
    with pytest.raises(TurnwiseError, match="sample_taco_multiturn is over the split test, which measures models"):
        TrainingProblems([loaded, test], RunSettings(), PROMPTS)


def test_decoys_of_a_test_set_are_refused(loaded: LoadedTask) -> None:
    """A model would be told of its programs' outputs."""
    pool = DecoyPool((Decoy(problem, "x = 1") for problem in load_problems("sample_taco").scorable), source="taco/test")
    with pytest.raises(TurnwiseError, match=r"of toy_train_multiturn \(taco/test\) are of the split test"):
        TrainingProblems([loaded], RunSettings(), PROMPTS, {TASK: pool})


def test_a_problem_is_guessed_where_several_answers_are_right_and_nothing_knows_them(loaded: LoadedTask) -> None:
    """Whether its statement was read or its wording tells; with a checker it is known."""
    first, second, third, fourth, *_ = loaded.asked
    flags = (Flag.MULTIPLE_ANSWERS, Flag.GUESSED_KIND)
    checker = Checker("def check(text, output, expected): ...", "a test")

    def asked() -> Iterator[Problem]:
        yield replace(first, flags=flags)
        yield replace(second, flags=(Flag.MULTIPLE_ANSWERS,))
        yield replace(third, flags=flags, checker=checker)
        yield replace(fourth, flags=flags, checker=replace(checker, checks=False))
        yield from loaded.asked[4:]

    problems = TrainingProblems([replace(loaded, asked=tuple(asked()))], RunSettings(), PROMPTS)
    assert problems.guessed == {first.id, second.id, fourth.id}


def test_the_wording_of_training_data_is_guessed(tmp_path: Path) -> None:
    """Of a train split nobody has read the statements, so that a wording that tells is all there is."""
    row = (Path(__file__).parents[2] / "benchmarks" / "sample" / "codecontests.jsonl").read_text().splitlines()[0]
    text = row.replace('"description": "', '"description": "If there are several answers, print any of them. ')
    (tmp_path / "codecontests").mkdir()
    (tmp_path / "codecontests" / "train.jsonl").write_text(text + "\n")
    (task,) = find_tasks("codecontests_train_multiturn")
    loaded = open_task(task, RunSettings(), data_dir=tmp_path)
    assert TrainingProblems([loaded], RunSettings(), PROMPTS).guessed == {loaded.asked[0].id}
