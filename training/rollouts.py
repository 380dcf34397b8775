"""Rollouts: the dialogues of an iteration, asked of the policy, judged on all tests and rewarded.

    rollouts = Rollouts(problems, judge, settings, OUT / "rollouts")
    episodes = rollouts.sample(1, engine)      # what the disk holds of it is not asked again
    rollouts.forget(1)                         # once its update is saved

    OUT/rollouts/000001.jsonl       a line for what was sampled together: the place of its first dialogue, its episodes
    OUT/rollouts/000001-2.jsonl     those of the process of rank 2, where there are several

Engines that take batches are asked in fixed ones of ``rollout_batch`` dialogues, in lockstep. Such a batch counts whole
or not at all: after a kill it is sampled again as it was, so that even floating point gives the same. All others are
asked asynchronously, and each dialogue counts. What the machine or a request spoiled has no reward and is tried again
by another attempt.

Log-probabilities have to be those of the policy that drew the tokens, which engines tell of temperature 1 alone.
"""

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.files import lines_of
from turnwise.json_text import json_line
from turnwise.records.problem import Problem
from turnwise.records.report import Report, Verdict
from turnwise.records.rlef import RlefSettings
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import End, Reply, Trajectory
from turnwise.runners.drivers import drive, run_asynchronously, run_in_lockstep
from turnwise.runners.event_loops import InterruptibleRunner
from turnwise.runners.judging.judge import Judge, JudgeRequest
from turnwise.runners.logs import AppendLog
from turnwise.runners.models.chat import ChatTemplate
from turnwise.runners.models.sampler import BatchSampler, Model, Outcome, Request, RequestError
from turnwise.runners.models.weights import LiveModel
from turnwise.runners.sampling import OPEN_PER_REQUEST
from turnwise.tasks.dialogue import Ask, Dialogue, DialoguePlan, messages_of
from turnwise.training.episodes import Episode, begins_with, episode_json, read_episode, tokens_of
from turnwise.training.rewards import rewards_of

DRIFT_OF = 4  # of so many dialogues the history of one is encoded again
_LONGEST_LINE = 2**30  # bytes of a batch of episodes
_FILE = re.compile(r"(\d{6,})(?:-(\d+))?\.jsonl")

Progress = Callable[[int, int], None]


class SpoiledError(InfrastructureError):
    """More dialogues of an iteration are without a reward than is allowed, through the machine or failed requests."""


class Problems(Protocol):
    """What makes the dialogues of an iteration: TrainingProblems."""

    def dialogues(self, iteration: int, *, rollouts: int, group: int, seed: int) -> list[Dialogue]:
        """Return them, ``group`` about each problem side by side."""
        ...

    def plan(self, task_name: str, iteration: int, seed: int) -> DialoguePlan:
        """Return what the dialogues of a task share."""
        ...


def check_behaviour_policy(sampling: Sampling) -> None:
    """Raise TurnwiseError unless tokens are drawn with the probabilities that the model itself gives them."""
    if sampling.temperature not in (None, 1):
        given, neutral = f"temperature={sampling.temperature:g}", "temperature=1.0"
    elif sampling.top_p is not None and sampling.top_p < 1:
        given, neutral = f"top_p={sampling.top_p:g}", "no top_p"
    elif sampling.top_k is not None:
        given, neutral = f"top_k={sampling.top_k}", "no top_k"
    elif sampling.presence_penalty:
        given, neutral = f"presence_penalty={sampling.presence_penalty:g}", "no presence_penalty"
    else:
        return
    raise TurnwiseError(
        f"--gen-kwargs {given} samples by another policy than the one that is trained, whose log-probabilities would "
        f"be wrong: give {neutral}."
    )


class Rollouts:
    """Samples the dialogues of ``problems`` for this process, ``rank`` of ``processes``, and keeps them in ``folder``.

    Of an iteration's groups each process takes every ``processes``-th. ``on_progress`` is told how many of its
    dialogues are there, of how many. ``seconds`` are how long the model and the judge were busy in the last iteration,
    of wall time, side by side where they can.
    """

    def __init__(
        self,
        problems: Problems,
        judge: Judge,
        settings: RlefSettings,
        folder: Path,
        *,
        rank: int = 0,
        processes: int = 1,
        on_progress: Progress | None = None,
    ) -> None:
        self._problems = problems
        self._judge = judge
        self._settings = settings
        self._folder = folder
        self._rank = rank
        self._processes = processes
        self._on_progress = on_progress
        self.seconds = (0.0, 0.0)

    def sample(self, iteration: int, engine: BatchSampler | Model | LiveModel) -> list[Episode]:
        """Return the episodes of this process's dialogues of ``iteration``, in their order.

        Raises SpoiledError as soon as more than ``most_spoiled`` of them are without a reward through the machine or
        failed requests; what was sampled well is on the disk. Raises TurnwiseError for an engine that tells no token
        ids and log-probabilities, and for replies without them.
        """
        model = engine.model if isinstance(engine, LiveModel) else engine
        if not getattr(model, "tells_tokens", False):
            raise TurnwiseError(
                f"The model {_name(model)!r} does not tell the token ids and log-probabilities of what it reads and "
                "says, of which training is made: sample with hf or vllm, and logprobs=true."
            )
        settings = self._settings
        dialogues = self._problems.dialogues(
            iteration, rollouts=settings.rollouts, group=settings.group, seed=settings.seed
        )
        own = [
            dialogue
            for number, dialogue in enumerate(dialogues)
            if number // settings.group % self._processes == self._rank
        ]
        plans = {
            task: self._problems.plan(task, iteration, settings.seed) for task in {dialogue.task for dialogue in own}
        }
        work = _Iteration(own, plans, self._judge, settings, self._path(iteration), model, self._on_progress)
        with closing(work):
            if isinstance(engine, LiveModel):
                engine.runner.run(work.ask_asynchronously(engine.model))
            elif isinstance(engine, BatchSampler):
                work.ask_in_lockstep()
            else:
                with InterruptibleRunner() as runner:
                    runner.run(work.ask_asynchronously(engine))
        self.seconds = (work.sampling.seconds, work.judging.seconds)
        return work.all_episodes()

    def forget(self, iteration: int) -> None:
        """Remove what this process sampled in ``iteration`` and before it."""
        for path in self._folder.glob("*.jsonl"):
            match = _FILE.fullmatch(path.name)
            if match is None or int(match[1]) > iteration:
                continue
            if path.name == self._path(int(match[1])).name:
                path.unlink(missing_ok=True)

    def _path(self, iteration: int) -> Path:
        rank = f"-{self._rank}" if self._processes > 1 else ""
        return self._folder / f"{iteration:06}{rank}.jsonl"


def _name(engine: object) -> str:
    return str(getattr(engine, "description", {}).get("model", type(engine).__name__))


class _BusyTime:
    """How long at least one of several things was going on, in seconds of wall time; safe for threads."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._open = 0
        self._begun = 0.0

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count what goes on inside."""
        with self._lock:
            if not self._open:
                self._begun = time.perf_counter()
            self._open += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    self.seconds += time.perf_counter() - self._begun


class _Iteration:
    """The dialogues of one iteration that are this process's, and what is known of each, by its place in the list."""

    def __init__(
        self,
        dialogues: Sequence[Dialogue],
        plans: Mapping[str, DialoguePlan],
        judge: Judge,
        settings: RlefSettings,
        path: Path,
        engine: BatchSampler | Model,
        on_progress: Progress | None,
    ) -> None:
        self._dialogues = dialogues
        self._plans = plans
        self._settings = settings
        self._name = _name(engine)
        self._template: ChatTemplate | None = getattr(engine, "template", None)
        self._on_progress = on_progress
        self._episodes: dict[int, Episode] = {}
        self._reasons: Counter[str] = Counter()
        self._errors: list[str] = []
        self.sampling, self.judging = _BusyTime(), _BusyTime()
        self._judge = _TimedJudge(judge, self.judging)
        self._sampler = _TimedSampler(engine, self.sampling, self._errors)
        self._known = list(self._read(path))
        self._log = AppendLog(path)

    def all_episodes(self) -> list[Episode]:
        """Return the episodes in the order of the dialogues."""
        return [self._episodes[place] for place in range(len(self._dialogues))]

    def close(self) -> None:
        """Sync what was written."""
        self._log.close()

    def ask_in_lockstep(self) -> None:
        """Ask in fixed batches; the last programs of one are judged while the next is sampled."""
        size, total = self._settings.rollout_batch, len(self._dialogues)
        known = {
            first: episodes for first, episodes in self._known if not any(episode.is_spoiled for episode in episodes)
        }
        judged: deque[tuple[range, Future[list[Report | None]]]] = deque()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="rewards") as pool:
            for places in (range(first, min(first + size, total)) for first in range(0, total, size)):
                if len(known.get(places.start, ())) == len(places):
                    self._take(places, known[places.start])
                    continue
                run_in_lockstep([self._dialogues[place] for place in places], self._sampler, self._judge)
                judged.append((places, pool.submit(self._judge_last, places)))
                if len(judged) > 1:
                    before, reports = judged.popleft()
                    self._add(before, reports.result())
                    if self._is_spoiled:
                        break
            for places, reports in judged:
                self._add(places, reports.result())
        self._check_spoiled()

    async def ask_asynchronously(self, model: Model) -> None:
        """Ask each dialogue at its own pace, and judge its last program beside the others."""
        for first, episodes in self._known:
            for place, episode in enumerate(episodes, first):
                if not episode.is_spoiled:
                    self._take(range(place, place + 1), [episode])

        async def carry(place: int) -> tuple[int, Report | None]:
            dialogue = self._dialogues[place]
            await drive(dialogue, self._sampler, self._judge)
            request = _last_program(dialogue)
            if request is None:
                return place, None
            return place, await self._judge.judge_async(request.problem, request.program)

        missing = [place for place in range(len(self._dialogues)) if place not in self._episodes]
        open_at_most = self._settings.rollout_batch if model.gate is None else OPEN_PER_REQUEST * model.gate.limit
        going = run_asynchronously(missing, carry, concurrency=lambda: open_at_most, room=model.gate)
        async with aclosing(going) as ended:
            async for place, report in ended:
                self._add(range(place, place + 1), [report])
                self._check_spoiled()

    def _judge_last(self, places: range) -> list[Report | None]:
        requests = {place: _last_program(self._dialogues[place]) for place in places}
        reports = self._judge.judge_many([request for request in requests.values() if request is not None])
        return [None if request is None else next(reports) for request in requests.values()]

    def _add(self, places: range, reports: Sequence[Report | None]) -> None:
        """Write the episodes of dialogues that have ended together."""
        episodes = [self._episode(place, report) for place, report in zip(places, reports, strict=True)]
        self._log.write(json_line({"first": places.start, "episodes": [episode_json(episode) for episode in episodes]}))
        for episode, report in zip(episodes, reports, strict=True):
            if episode.is_spoiled:
                self._spoiled(episode.trajectory, report)
        self._take(places, episodes)

    def _episode(self, place: int, report: Report | None) -> Episode:
        trajectory = self._dialogues[place].trajectory()
        try:
            tokens_of(trajectory)
        except ValueError as error:
            raise TurnwiseError(
                f"What {self._name!r} answers cannot be learnt from: {error}. A model that gives no numbers has "
                "diverged: train from an earlier checkpoint with a lower --learning-rate."
            ) from None
        rewards = rewards_of(trajectory, report, self._settings.rewards)
        verdict = report.verdict if report is not None and rewards is not None else None
        drifted = later = 0
        if self._template is not None and place % DRIFT_OF == 0:
            keeps = self._plans[trajectory.task].keep_reasoning
            drifted, later = _drift(self._template, trajectory, keep_reasoning=keeps)
        return Episode(trajectory, verdict, rewards, drifted, later)

    def _spoiled(self, trajectory: Trajectory, report: Report | None) -> None:
        is_request = trajectory.end is End.REQUEST_FAILED
        self._reasons["request" if is_request else "machine"] += 1
        if not is_request and report is not None and report.verdict is Verdict.INFRASTRUCTURE_FAILURE:
            shown = next((result.error for result in report.public if result.error), "") or report.error
            self._errors += [shown] if shown else []

    @property
    def _is_spoiled(self) -> bool:
        return self._reasons.total() > self._settings.most_spoiled * len(self._dialogues)

    def _check_spoiled(self) -> None:
        if not self._is_spoiled:
            return
        counts = f"{self._reasons['request']} by failed requests, {self._reasons['machine']} by the machine"
        first = f"; the first reason: {self._errors[0].rstrip('.')}" if self._errors else ""
        raise SpoiledError(
            f"{self._reasons.total()} of {len(self._dialogues)} dialogues have no reward ({counts}{first}), which is "
            f"more than {self._settings.most_spoiled:.0%}: mend that, then give the same line again, which asks for "
            "these and for what was not sampled."
        )

    def _take(self, places: range, episodes: Sequence[Episode]) -> None:
        self._episodes.update(zip(places, episodes, strict=True))
        if self._on_progress is not None:
            self._on_progress(len(self._episodes), len(self._dialogues))

    def _read(self, path: Path) -> Iterator[tuple[int, list[Episode]]]:
        """Yield what an earlier attempt left of these dialogues: the place of the first, and the episodes."""
        if not path.is_file():
            return
        with path.open("rb") as file:
            for line in lines_of(file, longest=_LONGEST_LINE):
                try:
                    data = json.loads(line)
                    first, episodes = int(data["first"]), [read_episode(item) for item in data["episodes"]]
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    continue  # a torn line, or none of ours
                asked = self._dialogues[first : first + len(episodes)] if first >= 0 else ()
                if len(asked) == len(episodes) and all(map(_is_about, episodes, asked)):
                    yield first, episodes


def _is_about(episode: Episode, dialogue: Dialogue) -> bool:
    found, step = episode.trajectory, dialogue.next_step()
    key = (dialogue.task, dialogue.problem.id, dialogue.sample, step.seed if isinstance(step, Ask) else None)
    return (found.task, found.problem, found.sample, found.seed) == key


def _last_program(dialogue: Dialogue) -> JudgeRequest | None:
    """Return what is to be judged of a dialogue that has ended; None where nothing is."""
    trajectory = dialogue.trajectory()
    if trajectory.is_missing or not trajectory.turns:
        return None
    return JudgeRequest(dialogue.problem, trajectory.turns[-1].program)


class _TimedJudge:
    """A judge, and how long it was busy."""

    def __init__(self, judge: Judge, time: _BusyTime) -> None:
        self._judge = judge
        self._time = time

    def judge_many(self, requests: Iterable[JudgeRequest]) -> Iterator[Report]:
        with self._time.busy():
            return iter(list(self._judge.judge_many(requests)))

    async def judge_async(
        self, problem: Problem, program: str | None, *, hidden: bool = True, traced: bool = False
    ) -> Report:
        with self._time.busy():
            return await self._judge.judge_async(problem, program, hidden=hidden, traced=traced)


class _TimedSampler:
    """A model of either kind, how long it was busy, and the first reasons why requests to it failed."""

    def __init__(self, engine: BatchSampler | Model, time: _BusyTime, errors: list[str]) -> None:
        self._engine: Any = engine
        self._time = time
        self._errors = errors
        self.description: dict[str, str] = {}

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        with self._time.busy():
            outcomes: list[Outcome] = self._engine.generate_batch(requests)
        self._errors += [str(outcome) for outcome in outcomes if isinstance(outcome, RequestError)][:1]
        return outcomes

    async def generate(self, request: Request) -> Reply | None:
        try:
            with self._time.busy():
                reply: Reply | None = await self._engine.generate(request)
        except RequestError as error:
            self._errors.append(str(error))
            raise
        return reply


def _drift(template: ChatTemplate, trajectory: Trajectory, *, keep_reasoning: bool) -> tuple[int, int]:
    """Return how many of the later calls that went on token by token would have had other ids, and how many these are.

    Had the history been encoded again, that is.
    """
    drifted = later = 0
    before: tuple[int, ...] | None = None
    for turn_number, turn in enumerate(trajectory.turns):
        for call_number, call in enumerate(turn.calls):
            prompt, reply = call.reply.prompt_token_ids or (), call.reply.token_ids or ()
            if before is not None and begins_with(prompt, before):
                later += 1
                messages = messages_of(trajectory, turn_number, call_number, keep_reasoning=keep_reasoning)
                drifted += tuple(template.encode(messages)) != prompt
            before = (*prompt, *reply)
    return drifted, later
