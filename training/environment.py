"""Dialogues about code as an environment of reinforcement learning: reset, then a step for each reply of the model.

    with open_environments("codecontests_train_multiturn", data_dir=data) as environments:
        environment = environments.make(environments.problems[0], sample=0)
        messages = environment.reset()
        while not (step := environment.step(model(messages))).done:
            messages += [...]  # the reply, and step.messages

It is what evaluation is: the same dialogue, prompts, extraction, judge and feedback, driven from outside (drivers.py
drives it for runs). Rewards are those of rewards.py. The model is told of public tests alone, and a Step says no more
of hidden ones than the verdict of the end. What the machine spoils has no reward, and is no episode to learn from.

It samples nothing and holds no token ids but those of the replies it is given.
"""

import logging
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.choices import ProfileName
from turnwise.records.problem import Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.rlef import RewardSettings
from turnwise.records.settings import METADATA, Option, RunConfig
from turnwise.records.trajectory import End, Message, Reply, Trajectory, Turn
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.judging.verdicts import RecentCache
from turnwise.runners.loading import Machine, load_decoys
from turnwise.runners.machines import open_machine
from turnwise.runners.models.chat import ChatMessage, to_chat
from turnwise.runners.settings import check_settings, given_settings, with_prompts
from turnwise.tasks.catalog import Task, find_tasks
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan, RunPublicTests
from turnwise.tasks.plan import config_of, strategy_of, with_supported_metrics
from turnwise.tasks.prompts import PromptSet
from turnwise.training.episodes import Episode
from turnwise.training.problems import TrainingProblems, check_training_task, load_tasks
from turnwise.training.rewards import is_invalid, rewards_of, turn_reward

MOST_REPORTS = 20_000  # that are kept of judged programs, about 1 KB each
DEFAULT_REWARDS = RewardSettings()
_ENDED_INSIDE = frozenset({End.PUBLIC_PASSED, End.TURN_LIMIT})
_TYPED = {"limit": float, "system_instruction": str, "matcher": str, "time_factor": float, "interpreter": str}
_SETTINGS = {**METADATA, **{name: Option("metadata", name, kind, {}, name) for name, kind in _TYPED.items()}}
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Info:
    """What a step showed, in words of verdicts and counts: nothing of a test stands here.

    ``turn`` is that of the reply, from 1. ``public`` is the verdict on its program by the public tests, of which
    ``public_passed`` of ``public_tests`` passed; None for a call of reasoning, after which nothing is run. ``verdict``
    is that by all tests, once the dialogue has an ``end``; None before, and where nothing could be judged.
    """

    turn: int
    public: Verdict | None = None
    public_passed: int = 0
    public_tests: int = 0
    is_invalid: bool = False
    end: End | None = None
    verdict: Verdict | None = None

    @property
    def is_spoiled(self) -> bool:
        """Whether the machine, or a request, ended the dialogue: it says nothing of the model."""
        return self.end in (End.INFRASTRUCTURE_FAILURE, End.REQUEST_FAILED) or (
            self.verdict is Verdict.INFRASTRUCTURE_FAILURE
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What follows a reply: the new ``messages`` for the model (none once it is ``done``), and what the reply earned.

    ``reward`` is None where the dialogue is spoiled, or ended before it had a turn.
    """

    messages: list[ChatMessage]
    reward: float | None
    done: bool
    info: Info


class CodeEnvironment:
    """One dialogue about one problem, to be driven by whoever samples; ``reset`` begins it, and begins it anew.

    Each may be used in a thread of its own: all of them share the ``judge``, whose workers bound what runs at a time.
    """

    def __init__(
        self,
        problem: Problem,
        sample: int,
        plan: DialoguePlan,
        judge: Judge,
        rewards: RewardSettings = DEFAULT_REWARDS,
    ) -> None:
        self.problem = problem
        self.sample = sample
        self._plan = plan
        self._judge = judge
        self._rewards = rewards
        self._dialogue: Dialogue | None = None
        self._given: list[float] = []
        self._episode: Episode | None = None

    @property
    def ask(self) -> Ask | None:
        """The call to the model that is waited for, as a dialogue has it, with its seed; None when it has ended."""
        step = self._begun().next_step()
        return step if isinstance(step, Ask) else None

    @property
    def messages(self) -> list[ChatMessage]:
        """All messages that the model reads now, as evaluation sends them; [] when the dialogue has ended.

        They are those given so far, with the replies between them, but for what is not kept: a reply's thinking, and
        with ``keep_reasoning`` false the reasoning of earlier turns.
        """
        ask = self.ask
        return [] if ask is None else to_chat(ask.messages)

    def reset(self) -> list[ChatMessage]:
        """Begin the dialogue and return its first messages."""
        self._dialogue = Dialogue(self.problem, self.sample, self._plan)
        self._given = []
        self._episode = None
        return self.messages

    def step(self, reply: str | Reply) -> Step:
        """Take the model's reply, run its program where the turn ends with it, and return what follows.

        Raises RuntimeError before ``reset`` and after the end.
        """
        dialogue = self._begun()
        ask = self.ask
        if ask is None:
            raise RuntimeError("this dialogue has ended: reset the environment")
        dialogue.reply(Reply(reply) if isinstance(reply, str) else reply)
        info, reward = Info(ask.turn + 1), 0.0
        while isinstance(run := dialogue.next_step(), RunPublicTests):
            report = self._run(JudgeRequest(run.problem, run.program, hidden=False, traced=run.traced))
            if run.problem is self.problem:  # else it is a decoy's, which is told of and earns nothing
                turn = Turn((), run.program, report)
                info, reward = _with_turn(info, turn, self._rewards), turn_reward(turn, self._rewards)
            dialogue.report(report)
        return self._step(info, reward)

    def stop(self, end: End) -> Step:
        """End the dialogue from outside, since its prompt outgrew the context, say; a turn without its program is lost.

        The step's reward is what the episode earns beyond what steps gave already: the last whole turn earns as the
        end of the dialogue now. Raises ValueError for an end that only a dialogue knows, RuntimeError as ``step``.
        """
        if end in _ENDED_INSIDE:
            raise ValueError(f"{end} is no end that comes from outside")
        dialogue = self._begun()
        ask = self.ask
        if ask is None:
            raise RuntimeError("this dialogue has ended: reset the environment")
        dialogue.stop(end)
        return self._step(Info(ask.turn + 1), 0.0)

    def episode(self) -> Episode:
        """Return the dialogue with its verdict and rewards, once it has ended; raises RuntimeError before."""
        if self._episode is None:
            raise RuntimeError("this dialogue has not ended")
        return self._episode

    def _begun(self) -> Dialogue:
        if self._dialogue is None:
            raise RuntimeError("this dialogue has not begun: reset the environment")
        return self._dialogue

    def _run(self, request: JudgeRequest) -> Report:
        """Return the report, by a worker of the judge; that of a machine that fails altogether is spoiled, too."""
        try:
            return next(self._judge.judge_many([request]))
        except InfrastructureError as error:
            spoiled, environment = Verdict.INFRASTRUCTURE_FAILURE, self._judge.environment
            return Report(request.problem.id, spoiled, (), () if request.hidden else None, environment, str(error))

    def _step(self, info: Info, reward: float) -> Step:
        dialogue = self._begun()
        ask = dialogue.next_step()
        if isinstance(ask, Ask):
            self._given.append(reward)
            return Step(to_chat(_new_messages(ask)), reward, False, info)
        trajectory = dialogue.trajectory()
        report = self._final_report(trajectory)
        verdict = None if report is None else report.verdict
        rewards = rewards_of(trajectory, report, self._rewards)
        self._episode = Episode(trajectory, None if rewards is None else verdict, rewards)
        info = replace(info, end=trajectory.end, verdict=verdict)
        return Step([], None if rewards is None else _outstanding(rewards, self._given), True, info)

    def _final_report(self, trajectory: Trajectory) -> Report | None:
        """Return the report on the last program by all tests; None where nothing is to be judged.

        As in evaluation, a program that fails public tests is wrong as it is.
        """
        if trajectory.is_missing or not trajectory.turns:
            return None
        last = trajectory.turns[-1]
        if not last.public_report.public_passed:
            return replace(last.public_report, hidden=())
        return self._run(JudgeRequest(self.problem, last.program))


def _new_messages(ask: Ask) -> tuple[Message, ...]:
    """Return the messages that follow the last reply."""
    replies = [at for at, message in enumerate(ask.messages) if message.kind in ("reply", "thought")]
    return ask.messages[replies[-1] + 1 :] if replies else ask.messages


def _with_turn(info: Info, turn: Turn, rewards: RewardSettings) -> Info:
    results = turn.public_report.public
    return replace(
        info,
        public=turn.public_report.verdict,
        public_passed=sum(result.verdict is Verdict.PASSED for result in results),
        public_tests=len(results),
        is_invalid=is_invalid(turn, rewards),
    )


def _outstanding(rewards: Sequence[float], given: Sequence[float]) -> float:
    """Return what the last step earns: the last reward, or where that step's reply is in no turn what is left."""
    return rewards[-1] if len(rewards) == len(given) + 1 else math.fsum(rewards) - math.fsum(given)


class Environments:
    """The environments of training tasks, and the judge that they share; close it, or use ``with``.

    ``problems`` are the ids that are asked. What it holds serves any number of threads.
    """

    def __init__(
        self, problems: TrainingProblems, judge: Judge, *, rewards: RewardSettings, seed: int, stack: ExitStack
    ) -> None:
        self.training_problems = problems
        self.judge = judge
        self.rewards = rewards
        self.seed = seed
        self._stack = stack
        self._tasks = {asked.id: loaded.task.name for loaded in reversed(problems.loaded) for asked in loaded.asked}
        self.problems = [problem.id for loaded in problems.loaded for problem in loaded.asked]

    def make(self, problem: str, sample: int, iteration: int = 1) -> CodeEnvironment:
        """Return the environment of a dialogue about the problem with this id; ``iteration`` is from 1.

        What is random in it follows from the seed, the iteration, the problem and the ``sample``, so that each dialogue
        of an iteration needs a sample of its own. Raises TurnwiseError for a problem that is not asked.
        """
        asked = self.training_problems.find(problem)
        plan = self.training_problems.plan(self._tasks[problem], iteration, self.seed)
        return CodeEnvironment(asked, sample, plan, self.judge, self.rewards)

    def close(self) -> None:
        """End the judge and its programs."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_environments(
    task: str,
    *,
    benchmark: str = "",
    data_dir: Path | str | None = None,
    prompts: Path | str | None = None,
    incorrect_programs: Path | str | None = None,
    workers: int = 0,
    seed: int = 0,
    rewards: RewardSettings = DEFAULT_REWARDS,
    environ: Mapping[str, str] | None = None,
    **settings: object,
) -> Environments:
    """Return the environments of a training ``task``, with the defaults of ``turnwise run``; whoever opens them closes.

    ``settings`` are those of --metadata by name (strategy, reasoning, instruction, feedback, max_turns, extraction,
    own_solutions, answers, tests, profile ...), and limit, system_instruction, matcher, time_factor and interpreter.
    Open them before an engine is loaded in this process: the judge's workers must inherit nothing of it.

    Raises TurnwiseError for a task over another split than train, a setting that cannot be, missing data, or problems
    whose own solutions nobody has judged; InfrastructureError where programs could escape.
    """
    tasks = find_tasks(task, find_benchmarks(benchmark, tasks=task))
    for chosen in tasks:
        check_training_task(chosen)
    config = _config(settings, tasks)
    strategies = [strategy_of(config.settings, chosen) for chosen in tasks]
    prompt_set = PromptSet.load(Path(prompts) if prompts else None)
    for strategy in strategies:
        prompt_set.check(strategy.prompt_ids)
    if incorrect_programs and not any(strategy.uses_random_feedback for strategy in strategies):
        raise TurnwiseError(
            f"incorrect_programs {str(incorrect_programs)!r} serves the feedback random, and no turn has it: give "
            "feedback='random', or leave it out."
        )
    with ExitStack() as stack:
        machine = stack.enter_context(
            open_machine(
                dict(os.environ if environ is None else environ),
                advise=_LOGGER.warning,
                data_dir=Path(data_dir) if data_dir else None,
                interpreter=config.judge.interpreter,
                workers=workers,
                started=True,
            )
        )
        problems = _load(tasks, config, machine, prompt_set, Path(incorrect_programs) if incorrect_programs else None)
        judge = machine.open_judge(config.judge, RecentCache(MOST_REPORTS))
        stack.callback(judge.close)
        return Environments(problems, judge, rewards=rewards, seed=seed, stack=stack.pop_all())


def _load(
    tasks: Sequence[Task], config: RunConfig, machine: Machine, prompts: PromptSet, incorrect_programs: Path | None
) -> TrainingProblems:
    settings, judge = config.settings, config.judge
    loaded = load_tasks(tasks, settings, machine, judge)
    decoys = load_decoys(loaded, settings, machine, judge, path=incorrect_programs)
    return TrainingProblems(loaded, settings, prompts, decoys)


def _config(given: Mapping[str, object], tasks: Sequence[Task]) -> RunConfig:
    """Return the settings that were ``given`` by name, over those of the profile."""
    values = given_settings(_SETTINGS, given, "The setting", strict=True)
    config = config_of(values.pop("profile", ProfileName.DEFAULT.value), with_prompts(values))
    config = replace(config, settings=with_supported_metrics(config.settings, tasks))
    check_settings(config, tasks)
    return config
