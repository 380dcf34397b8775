"""The environment is evaluation driven from outside: equal dialogues, verdicts and scores, and rewards beside them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.leaderboard.estimators import pass_n_at_k
from turnwise.leaderboard.outcomes import read_outcomes
from turnwise.leaderboard.scores import Metric, values_of
from turnwise.records.choices import FeedbackKind
from turnwise.records.codec import to_line
from turnwise.records.judgement import places_of
from turnwise.records.problem import TRAINING_SPLIT, Limits, Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.rlef import RewardSettings
from turnwise.records.run_folder import RunFolder
from turnwise.records.settings import RunSettings
from turnwise.records.trajectory import End, Reply
from turnwise.runners.execution.interface import Ending, Execution, Executor, Program
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.judging.verdicts import RecentCache
from turnwise.runners.loading import LoadedTask, Machine, load_task
from turnwise.runners.models.chat import ChatMessage, to_chat
from turnwise.runners.models.sampler import ImmediateSampler, Request
from turnwise.runners.sampling import Job, sample
from turnwise.tasks.catalog import TASKS
from turnwise.tasks.decoys import Decoy, DecoyPool
from turnwise.tasks.dialogue import DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import STRATEGIES, build_strategy, multi_turn
from turnwise.training.environment import CodeEnvironment, Environments, Step, open_environments
from turnwise.training.episodes import Episode
from turnwise.training.problems import TrainingProblems, iteration_seed
from turnwise.training.rewards import rewards_of

BENCHMARKS = ("codecontests", "taco", "humaneval_plus", "mbpp_plus")
SAMPLES, SEED = 3, 5
PROMPTS = PromptSet.load()
REWARDS = RewardSettings()
WAYS = [
    ("single_turn", FeedbackKind.FAILED_TESTS),
    *product([name for name in STRATEGIES if name != "single_turn"], FeedbackKind),
]


def _fenced(program: str) -> str:
    return f"Here:\n```python\n{program}\n```\n"


def _public_only(problem: Problem) -> str:
    """Return a program that knows the public tests by heart."""
    known = {test.input: test.output for test in problem.public_tests}
    return f"import sys\nprint({known!r}.get(sys.stdin.read(), 'lost'))"


def _texts(problem: Problem, number: int) -> Sequence[str]:
    """Return what is answered in three turns: right at once; wrong, no code, right; no Python, an error, by heart."""
    right = _fenced(problem.solutions[0])
    if number == 0:
        return (right, right, right)
    if number == 1:
        return (_fenced("print(0)"), "I do not know.", right)
    return (_fenced("def ("), _fenced("raise KeyError(1)"), _fenced(_public_only(problem)))


class Writer(ImmediateSampler):
    """Answers by problem, sample and turn alone, whoever drives; keeps what it read."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.description = {"model": "writer"}
        self._problems = {problem.id: problem for problem in problems}
        self.read: dict[tuple[str, str, int, int, int], list[ChatMessage]] = {}

    def answer(self, request: Request) -> Reply:
        place = (request.task, request.problem, request.sample, request.turn, request.call)
        self.read[place] = to_chat(request.messages)
        return Reply(self.text(request.problem, request.sample, request.turn, request.messages[-1].kind))

    def text(self, problem: str, number: int, turn: int, kind: str) -> str:
        return "I think aloud.\n" if kind == "reasoning" else _texts(self._problems[problem], number)[turn]


@dataclass(frozen=True)
class Bench:
    """All problems of the bundled sample as training tasks, and what judges them."""

    loaded: tuple[LoadedTask, ...]
    machine: Machine
    judge: Judge

    @property
    def problems(self) -> list[Problem]:
        return [problem for loaded_task in self.loaded for problem in loaded_task.asked]

    def decoys(self) -> dict[str, DecoyPool]:
        """Two wrong programs for each problem."""
        programs = ("print(0)", "raise SystemExit(3)")
        return {
            loaded_task.task.name: DecoyPool(
                [Decoy(p, text) for p in loaded_task.asked for text in programs], source="a test"
            )
            for loaded_task in self.loaded
        }


@pytest.fixture(scope="module")
def bench(executor: Executor, cache_dir: Path) -> Iterator[Bench]:
    """The bundled sample, which measures models, told to be for training."""
    machine = Machine(executor, cache_dir, workers=2)
    with closing(Judge(executor, cache=RecentCache(10_000), workers=2)) as judge:
        yield Bench(
            tuple(_for_training(TASKS[f"sample_{name}_multiturn"].name, machine) for name in BENCHMARKS),
            replace(machine, judge=judge),
            judge,
        )


def _for_training(name: str, machine: Machine) -> LoadedTask:
    loaded = load_task(TASKS[name], RunSettings(), machine)
    asked = tuple(replace(problem, split=TRAINING_SPLIT) for problem in loaded.asked)
    return replace(loaded, task=replace(loaded.task, split=TRAINING_SPLIT), asked=asked)


def _settings(strategy: str, feedback: str) -> RunSettings:
    reasoning = ("self_reflection",) if strategy in ("cot", "cot_every_turn") else ()
    return RunSettings(
        strategy=strategy,
        feedback=feedback,
        reasoning=reasoning,
        samples_per_problem=SAMPLES,
        seed=iteration_seed(SEED, 1),
    )


def _drive(environment: CodeEnvironment, writer: Writer, task: str) -> tuple[Episode, list[float | None]]:
    """Carry a dialogue to its end, as an engine does that keeps the chat itself; return what its steps earned."""
    chat, rewards = environment.reset(), []
    while (ask := environment.ask) is not None:
        problem, number = environment.problem.id, environment.sample
        assert chat == writer.read[task, problem, number, ask.turn, ask.call] == environment.messages
        text = writer.text(problem, number, ask.turn, ask.messages[-1].kind)
        step = environment.step(text)
        chat += [{"role": "assistant", "content": text}, *step.messages]
        rewards.append(step.reward)
    assert step.done and step.messages == [] == environment.messages
    return environment.episode(), rewards


@pytest.mark.parametrize(("strategy", "feedback"), WAYS)
def test_the_environment_is_evaluation(bench: Bench, strategy: str, feedback: FeedbackKind, tmp_path: Path) -> None:
    """Equal messages, programs, reports, ends, verdicts and n@k; rewards are those of the run's dialogues."""
    settings = _settings(strategy, feedback)
    decoys = bench.decoys() if feedback is FeedbackKind.RANDOM else {}
    writer = Writer(bench.problems)
    sample(Job(bench.loaded, writer, settings, PROMPTS, decoys=decoys), bench.machine, output=tmp_path / "run")
    folder, problems = RunFolder(tmp_path / "run"), TrainingProblems(bench.loaded, settings, PROMPTS, decoys)
    judgements, outcomes = folder.judgements(), read_outcomes(tmp_path / "run")
    for loaded, of_task in zip(bench.loaded, outcomes.tasks, strict=True):
        task = loaded.task.name
        plan, episodes = problems.plan(task, 1, SEED), []
        for trajectory in folder.trajectories(task):
            problem = problems.find(trajectory.problem)
            environment = CodeEnvironment(problem, trajectory.sample, plan, bench.judge)
            episode, earned = _drive(environment, writer, task)
            assert to_line(episode.trajectory) == to_line(trajectory)
            last, place = trajectory.turns[-1], places_of(trajectory)[-1]
            known = last.public_report if place is None else judgements.get(place, last.public_report)
            report = bench.judge.judge(problem, last.program)
            assert episode.rewards == rewards_of(trajectory, report, REWARDS) == tuple(earned)
            assert episode.verdict is known.verdict
            episodes.append(episode)
        solved = np.array([episode.solved for episode in episodes]).reshape(-1, SAMPLES)
        public = np.array([episode.trajectory.turns[-1].public_report.public_passed for episode in episodes])
        turns = of_task.record.max_turns
        values = pass_n_at_k(solved, public.reshape(-1, SAMPLES), n=1, k=2 * turns, turns=turns)
        assert values.tolist() == values_of(of_task, Metric(1, 2 * turns, turns)).tolist()
        assert 0 < solved.sum() < solved.size


def _row(name: str, factor: int, *, secret: int) -> dict[str, object]:
    """Return a problem whose hidden inputs and outputs are of four digits or more, and are nowhere else."""
    inputs = [secret, secret + 1]
    return {
        "name": name,
        "statement": "Multiply the number by what the tests tell.",
        "public_tests": [{"input": "1", "output": f"{factor}"}, {"input": "2", "output": f"{2 * factor}"}],
        "hidden_tests": [{"input": f"{number}", "output": f"{number * factor}"} for number in inputs],
        "time_limit_seconds": 2.0,
        "solutions": [f"print(int(input()) * {factor})"],
    }


ROWS = [_row("times-7", 7, secret=70_301), _row("times-9", 9, secret=91_377), _row("times-3", 3, secret=30_953)]
RIGHT, WRONG = _fenced("print(int(input()) * 7)"), _fenced("print(int(input()) * 8)")
BY_HEART = _fenced("print({1: 7, 2: 14}.get(int(input()), 'lost'))")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a user's own problems for training, programs that are wrong on them, and a test set."""
    folder = tmp_path_factory.mktemp("own")
    for name in ("toy_train.jsonl", "toy.jsonl"):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    wrong = [{"problem": row["name"], "program": f"print({n})"} for row in ROWS for n in (111, 222, 333, 444)]
    (folder / "wrong.jsonl").write_text("".join(json.dumps(row) + "\n" for row in wrong))
    return folder


def _open(folder: Path, cache_dir: Path, **settings: object) -> Environments:
    given: dict[str, object] = {"own_solutions": 0, "workers": 1, **settings}
    return open_environments(
        "toy_train_multiturn",
        benchmark=str(folder / "toy_train.jsonl"),
        environ={"TURNWISE_CACHE": str(cache_dir)},
        **given,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
def toys(folder: Path, cache_dir: Path) -> Iterator[Environments]:
    """The environments of the user's own problems."""
    with _open(folder, cache_dir, workers=2) as environments:
        yield environments


def _steps(environment: CodeEnvironment, *texts: str) -> list[Step]:
    environment.reset()
    return [environment.step(text) for text in texts]


@pytest.mark.parametrize(
    ("texts", "rewards", "end"),
    [
        ((RIGHT,), [1.0], End.PUBLIC_PASSED),
        ((WRONG, "no code", RIGHT), [0.0, -0.2, 1.0], End.PUBLIC_PASSED),
        ((_fenced("def ("), WRONG, WRONG), [-0.2, 0.0, -1.0], End.TURN_LIMIT),
        ((WRONG, WRONG, "no code"), [0.0, 0.0, -1.0], End.TURN_LIMIT),
        ((BY_HEART,), [-1.0], End.PUBLIC_PASSED),
    ],
)
def test_what_replies_earn(toys: Environments, texts: Sequence[str], rewards: list[float], end: End) -> None:
    """A turn without valid code -0.2 but for the last, the end +1 or -1, the rest nothing."""
    environment = toys.make("toy_train/times-7", 0)
    steps = _steps(environment, *texts)
    assert [step.reward for step in steps] == rewards == list(environment.episode().rewards or ())
    assert [step.done for step in steps] == [*[False] * (len(texts) - 1), True]
    assert (steps[-1].info.end, environment.episode().solved) == (end, rewards[-1] == 1.0)


def test_an_info_counts_the_public_tests(toys: Environments) -> None:
    """And says the verdict on all of them at the end alone."""
    first, last = _steps(toys.make("toy_train/times-7", 1), _fenced("print(7)"), BY_HEART)
    assert (first.info.turn, first.info.public, first.info.public_passed) == (1, Verdict.WRONG_ANSWER, 1)
    assert (first.info.public_tests, first.info.verdict, first.info.end) == (2, None, None)
    assert (last.info.turn, last.info.public, last.info.public_passed) == (2, Verdict.PASSED, 2)
    assert (last.info.verdict, last.info.is_spoiled) == (Verdict.WRONG_ANSWER, False)


@pytest.mark.parametrize("feedback", FeedbackKind)
@pytest.mark.parametrize("strategy", ["multi_turn", "cot_retry"])
def test_no_hidden_test_is_told(toys: Environments, feedback: FeedbackKind, strategy: str) -> None:
    """No input or output of one stands in a message or an info, of the dialogue's problem or a decoy's."""
    problems = toys.training_problems
    pool = DecoyPool([Decoy(problem, "print(5)") for problem in map(problems.find, toys.problems)], source="a test")
    settings = RunSettings(strategy=strategy, feedback=feedback)
    asked = TrainingProblems(problems.loaded, settings, PROMPTS, {"toy_train_multiturn": pool})
    hidden = [
        text
        for problem in map(problems.find, toys.problems)
        for test in problem.hidden_tests
        for text in (test.input, test.output or "")
    ]
    assert len(hidden) == 12 and all(len(text) >= 4 for text in hidden)
    plan, told = asked.plan("toy_train_multiturn", 1, SEED), []
    for texts in ([BY_HEART], [WRONG, _fenced("raise ValueError(input())"), "no code", BY_HEART], ["", "", "", ""]):
        environment = CodeEnvironment(problems.find("toy_train/times-7"), 0, plan, toys.judge)
        told += [str(environment.reset())]
        for text in texts:
            step = environment.step(text)
            told += [str(step), str(environment.messages)]
            if step.done:
                break
    assert [text for text in hidden if any(text in one for one in told)] == []


def test_a_reasoning_call_earns_nothing(toys: Environments) -> None:
    """A turn of two calls takes two steps; no program is run after the first."""
    plan = DialoguePlan("t", build_strategy("cot", max_turns=2, reasoning=("self_reflection",)), PROMPTS)
    environment = CodeEnvironment(toys.training_problems.find("toy_train/times-7"), 0, plan, toys.judge)
    thought, invalid, right = _steps(environment, RIGHT, "no code", RIGHT)
    assert (thought.reward, thought.info.public, invalid.reward, right.reward) == (0.0, None, -0.2, 1.0)
    assert environment.episode().rewards == (0.0, -0.2, 1.0)


def test_forgotten_reasoning_is_in_no_later_message(toys: Environments) -> None:
    """``messages`` are what is sent, though steps gave more."""
    strategy = build_strategy("cot", max_turns=2, reasoning=("self_reflection",))
    plan = DialoguePlan("t", strategy, PROMPTS, keep_reasoning=False)
    environment = CodeEnvironment(toys.training_problems.find("toy_train/times-7"), 0, plan, toys.judge)
    _, second = _steps(environment, "a deep thought", WRONG)
    assert "a deep thought" not in str(environment.messages) and environment.messages[-1:] == second.messages


def test_a_dialogue_that_outgrows_the_context_has_failed(toys: Environments) -> None:
    """Its last whole turn earns as the end: what steps gave before is taken into account."""
    environment = toys.make("toy_train/times-7", 2)
    first, _ = _steps(environment, "no code", WRONG)
    step = environment.stop(End.CONTEXT_OVERFLOW)
    assert (first.reward, step.reward, step.done, step.messages) == (-0.2, -1.0, True, [])
    assert environment.episode().rewards == (-0.2, -1.0) and step.info.end is End.CONTEXT_OVERFLOW
    _steps(environment, "no code")
    assert environment.stop(End.CONTEXT_OVERFLOW).reward == pytest.approx(-0.8)
    assert environment.episode().rewards == (-1.0,)


def test_a_dialogue_without_a_turn_has_no_reward(toys: Environments) -> None:
    """There is nothing to learn from."""
    environment = toys.make("toy_train/times-7", 3)
    environment.reset()
    step = environment.stop(End.CONTEXT_OVERFLOW)
    assert (step.reward, step.done, step.info.is_spoiled, environment.episode().rewards) == (None, True, False, None)


def test_a_failed_request_has_no_reward(toys: Environments) -> None:
    """Whatever was said before."""
    environment = toys.make("toy_train/times-7", 4)
    _steps(environment, "no code")
    step = environment.stop(End.REQUEST_FAILED)
    assert (step.reward, step.done, step.info.is_spoiled, environment.episode().rewards) == (None, True, True, None)


class FailingExecutor:
    """A fake executor of a machine that spoils each run after the first ones, or raises."""

    name, tier, interpreter = "failing 1", "none", "no Python"

    def __init__(self, *, after: int, raises: bool = False) -> None:
        self._left = after
        self._raises = raises

    def open(self, program: Program, language: str, limits: Limits) -> "FailingExecutor":
        if self._raises and self._left <= 0:
            raise InfrastructureError("no process can be started: raise the limit.")
        return self

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for data in inputs:
            self._left -= 1
            yield Execution(Ending.INFRASTRUCTURE if self._left < 0 else Ending.FINISHED, b"%d" % (7 * int(data)))

    def close(self) -> None: ...

    def __enter__(self) -> "FailingExecutor":
        return self

    def __exit__(self, *error: object) -> None: ...


@pytest.mark.parametrize(("after", "raises", "end"), [(0, False, "public"), (0, True, "public"), (2, False, "hidden")])
def test_what_the_machine_spoils_has_no_reward(toys: Environments, after: int, raises: bool, end: str) -> None:
    """Whether it fails at the public tests or at the hidden ones: None, never -1."""
    with closing(Judge(FailingExecutor(after=after, raises=raises))) as judge:
        plan = DialoguePlan("t", multi_turn(3), PROMPTS)
        environment = CodeEnvironment(toys.training_problems.find("toy_train/times-7"), 0, plan, judge)
        (step,) = _steps(environment, RIGHT)
    expected = End.INFRASTRUCTURE_FAILURE if end == "public" else End.PUBLIC_PASSED
    assert (step.reward, step.done, step.info.is_spoiled, step.info.end) == (None, True, True, expected)
    assert (environment.episode().rewards, environment.episode().verdict) == (None, None)


def test_the_end_is_judged_once(toys: Environments, executor: Executor) -> None:
    """Hidden tests run for the last program alone, and only where it passes the public ones."""
    asked: list[tuple[str | None, bool]] = []

    class CountingJudge(Judge):
        def judge_many(self, requests: Iterable[JudgeRequest]) -> Iterator[Report]:
            (request,) = requests
            asked.append((request.program, request.hidden))
            return super().judge_many([request])

    with closing(CountingJudge(executor)) as judge:
        plan = DialoguePlan("t", multi_turn(2), PROMPTS)
        environment = CodeEnvironment(toys.training_problems.find("toy_train/times-7"), 0, plan, judge)
        _steps(environment, WRONG, RIGHT)
        assert [hidden for _, hidden in asked] == [False, False, True]
        asked.clear()
        _steps(environment, WRONG, WRONG)
        assert [hidden for _, hidden in asked] == [False, False]


def test_a_step_out_of_turn_is_refused(toys: Environments) -> None:
    """Before the beginning and after the end; an episode is there after it alone."""
    environment = toys.make("toy_train/times-7", 0)
    with pytest.raises(RuntimeError, match="has not begun"):
        environment.step(RIGHT)
    environment.reset()
    with pytest.raises(RuntimeError, match="has not ended"):
        environment.episode()
    with pytest.raises(ValueError, match="comes from outside"):
        environment.stop(End.TURN_LIMIT)
    environment.step(RIGHT)
    with pytest.raises(RuntimeError, match="has ended"):
        environment.step(RIGHT)
    assert environment.reset()[0]["role"] == "user"


def test_environments_serve_many_threads(toys: Environments) -> None:
    """Sixty dialogues in eight threads end as each alone."""

    def play(number: int) -> list[float | None]:
        text = _fenced(f"print(int(input()) * {5 + number % 3})  # {number}")
        environment = toys.make("toy_train/times-7", number)
        environment.reset()
        rewards, done = [], False
        while not done:
            step = environment.step(text)
            rewards, done = [*rewards, step.reward], step.done
        return rewards

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(play, range(60)))
    assert found == [[1.0] if number % 3 == 2 else [0.0, 0.0, -1.0] for number in range(60)]


def test_another_reward_is_recorded_and_given(folder: Path, cache_dir: Path) -> None:
    """Settings by keyword do what they do in a run: rewards, turns, decoys that change with the iteration."""
    rewards = RewardSettings(solved=2.0, failed=0.0, invalid=-0.5, invalid_is="no_code")
    with _open(
        folder,
        cache_dir,
        rewards=rewards,
        feedback="random",
        max_turns=2,
        incorrect_programs=folder / "wrong.jsonl",
        limit=1,
    ) as environments:
        assert environments.problems == ["toy_train/times-7"]
        told = []
        for iteration in range(1, 9):
            environment = environments.make("toy_train/times-7", 0, iteration)
            _steps(environment, _fenced("def ("))
            told.append(environment.messages[-1]["content"])
            assert environment.step("").reward == 0.0
        assert len(set(told)) > 1 and all(re.search("111|222|333|444", one) for one in told)
        (step,) = _steps(environments.make("toy_train/times-7", 0), RIGHT)
        assert step.reward == 2.0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"feedback": "loud"}, "Unknown feedback 'loud'"),
        ({"volume": 3}, "The setting 'volume' is unknown"),
        ({"max_turns": 0}, "The setting max_turns is 0"),
        ({"incorrect_programs": "wrong.jsonl"}, "serves the feedback random"),
        ({"own_solutions": 3}, "have not been judged by this judge: run turnwise verify -t toy_train_multiturn"),
    ],
)
def test_a_wrong_setting_is_named(folder: Path, cache_dir: Path, settings: Mapping[str, object], reason: str) -> None:
    """By its keyword, with the remedy."""
    with pytest.raises(TurnwiseError, match=reason):
        _open(folder, cache_dir, **settings)


def test_a_test_set_is_refused(folder: Path, cache_dir: Path) -> None:
    """Nobody is trained on what measures models."""
    with pytest.raises(TurnwiseError, match="toy_multiturn is over the split test, which measures models: train on"):
        open_environments(
            "toy_multiturn", benchmark=str(folder / "toy.jsonl"), environ={"TURNWISE_CACHE": str(cache_dir)}
        )


def test_the_environment_loads_no_learning() -> None:
    """Whoever trains elsewhere needs neither torch nor transformers for it."""
    code = "import sys, turnwise.training.environment; print(*{name.split('.')[0] for name in sys.modules})"
    process = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    loaded = set(process.stdout.split())
    assert loaded & {"torch", "transformers", "accelerate", "trl", "peft", "vllm", "datasets", "scipy"} == set()
    assert "turnwise" in loaded


def test_the_loop_of_the_documentation_runs(folder: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/environment.md has it, with a model that is always right."""
    document = (Path(__file__).parents[2] / "docs" / "environment.md").read_text()
    code = re.search(r"```python\n(.*?)```", document, re.DOTALL)
    assert code is not None
    monkeypatch.chdir(folder)
    monkeypatch.setenv("TURNWISE_CACHE", str(cache_dir))
    names: dict[str, object] = {"model": lambda _: RIGHT}
    exec(code[1], names)
    assert names["rewards"] == [[1.0], [0.0, 0.0, -1.0], [0.0, 0.0, -1.0]]
