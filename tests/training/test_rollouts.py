"""Rollouts of an iteration: the same after any kill, whole groups for each process, stopped where the machine fails."""

import asyncio
import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from turnwise.errors import InfrastructureError, TurnwiseError
from turnwise.records.problem import Limits, Problem, TestCase
from turnwise.records.report import Verdict
from turnwise.records.rlef import RlefSettings
from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Context, End, Message, Reply
from turnwise.runners.execution.interface import Ending, Execution, Program
from turnwise.runners.judging.judge import Judge
from turnwise.runners.judging.verdicts import RecentCache
from turnwise.runners.models.gate import Gate
from turnwise.runners.models.sampler import ContextOverflowError, Outcome, Request, RequestError, ScriptedSampler
from turnwise.runners.models.weights import LiveModel
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import build_strategy, multi_turn
from turnwise.training.episodes import Episode, rows_of
from turnwise.training.rollouts import Rollouts, SpoiledError, check_behaviour_policy

PROMPTS = PromptSet.load()
PROBLEMS = tuple(
    Problem(f"b/{name}", "b", "train", f"Say {name}.", (TestCase("", name),), (TestCase("x", name),)) for name in "pqrs"
)
WORDS = ["p", "q", "r", "s", "p/q", "q/p", "crash"]
SETTINGS = RlefSettings(rollouts=12, group=2, rollout_batch=5, seed=1)


class EchoExecutor:
    """A fake executor: a program is its own output, "a/b" says b where there is an input; "starved" spoils that."""

    name, tier, interpreter = "echo 1", "none", "no Python"
    source = b""

    def open(self, program: Program, language: str, limits: Limits) -> "EchoExecutor":
        session = EchoExecutor()
        session.source = program.source.strip()
        return session

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        first, _, other = self.source.partition(b"/")
        for given in inputs:
            answer = other if given and other else first
            ending = {b"crash": Ending.FAILED, b"starved": Ending.STARVED}.get(answer, Ending.FINISHED)
            yield Execution(ending, answer)

    def close(self) -> None: ...

    def __enter__(self) -> "EchoExecutor":
        return self

    def __exit__(self, *error: object) -> None: ...


class Problems:
    """Problems in an order of their own in each iteration, ``strategy`` of three turns unless it is given."""

    def __init__(self, plan: DialoguePlan | None = None) -> None:
        self._plan = plan or DialoguePlan("t", multi_turn(3), PROMPTS)

    def plan(self, task_name: str, iteration: int, seed: int) -> DialoguePlan:
        assert task_name == "t"
        return replace(self._plan, seed=100 * seed + iteration)

    def dialogues(self, iteration: int, *, rollouts: int, group: int, seed: int) -> list[Dialogue]:
        chosen = random.Random(f"{seed} {iteration}").choices(PROBLEMS, k=rollouts // group)
        plan = self.plan("t", iteration, seed)
        return [Dialogue(problem, group * at + i, plan) for at, problem in enumerate(chosen) for i in range(group)]


def _said(request: Request, word: str) -> Reply:
    """The reply of ``word``, a token for each of its characters, to a prompt that goes on from the one before."""
    after, messages = request.after, list(request.messages)
    spoken = [place for place, message in enumerate(messages) if message.role == "assistant"]
    before = () if after is None else (*after.prompt, *after.reply)
    new = messages[spoken[-1] + 1 if after is not None else 0 :]
    prompt = (*before, *(len(message.content) for message in new))
    text = f"```python\n{word}\n```" if word else "no code"
    ids = tuple(map(ord, word or "-"))
    return Reply(
        text,
        token_ids=ids,
        prompt_token_ids=prompt,
        logprobs=tuple(-1 / token for token in ids),
        context=Context(prompt, ids),
    )


class BatchEngine:
    """Answers batches; as with one generator for all, a reply depends on the batch that it is in.

    The ``kill``-th batch raises KeyboardInterrupt.
    """

    tells_tokens = True
    description: ClassVar = {"model": "batches"}

    def __init__(self, *, kill: int = 0) -> None:
        self.kill = kill
        self.batches: list[Sequence[Request]] = []

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        self.batches.append(requests)
        if len(self.batches) == self.kill:
            raise KeyboardInterrupt
        draw = random.Random(requests[0].seed)
        return [self.answer(request, draw.choice([*WORDS, ""])) for request in requests]

    def answer(self, request: Request, word: str) -> Outcome:
        return _said(request, word)


class AsyncModel:
    """Answers one request at a time, out of order, the words of ``answer``; each depends on its request alone."""

    tells_tokens = True

    def __init__(self, *, kill: int = 0) -> None:
        self.description = {"model": "beside each other"}
        self.gate: Gate | None = Gate(3)
        self.kill = kill
        self.asked: list[tuple[str, int]] = []
        self.loops: set[int] = set()

    def with_sampling(self, sampling: Sampling) -> "AsyncModel":
        return self

    async def close(self) -> None: ...

    async def generate(self, request: Request) -> Reply | None:
        self.loops.add(id(asyncio.get_running_loop()))
        self.asked.append((request.problem, request.sample))
        if len(self.asked) == self.kill:
            raise KeyboardInterrupt
        await asyncio.sleep(random.random() / 1000)
        outcome = self.answer(request)
        if isinstance(outcome, Exception):
            await asyncio.sleep(0.1)  # the others have ended then
            raise outcome
        return outcome

    def answer(self, request: Request) -> Outcome:
        return _said(request, random.Random(request.seed).choice([*WORDS, ""]))


class AsBatches:
    """An AsyncModel's answers, in batches."""

    tells_tokens = True
    description: ClassVar = {"model": "batches"}

    def __init__(self, model: AsyncModel) -> None:
        self._model = model

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        return list(map(self._model.answer, requests))


@pytest.fixture
def judge() -> Iterator[Judge]:
    """A judge of words, with the cache that trainings have."""
    with closing(Judge(EchoExecutor(), cache=RecentCache(1000), workers=2)) as shared:
        yield shared


def _rollouts(judge: Judge, folder: Path, settings: RlefSettings = SETTINGS, **given: object) -> Rollouts:
    problems = given.pop("problems", Problems())
    return Rollouts(problems, judge, settings, folder, **given)  # type: ignore[arg-type]


def _asked(episodes: Sequence[Episode]) -> list[tuple[str, int]]:
    return [(episode.trajectory.problem, episode.trajectory.sample) for episode in episodes]


class Nothing:
    """An engine that is not to be asked."""

    tells_tokens = True
    description: ClassVar = {"model": "nothing"}

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        raise AssertionError("asked again")


def test_what_was_sampled_is_judged_on_all_tests_and_rewarded(tmp_path: Path, judge: Judge) -> None:
    """By hand: solved at once, in the second turn, never, with hidden tests failed, and without code twice."""
    scripts = [["{}"], ["crash", "{}"], ["crash", "crash", "crash"], ["{}/crash"], ["", "", "{}"], ["", "", ""]]
    settings = replace(SETTINGS, rollouts=6, group=1)

    class Scripted(BatchEngine):
        def answer(self, request: Request, word: str) -> Outcome:
            return _said(request, scripts[request.sample][request.turn].format(request.problem[-1]))

    rollouts = _rollouts(judge, tmp_path, settings)
    episodes = rollouts.sample(1, Scripted())
    assert [episode.rewards for episode in episodes] == [
        (1.0,),
        (0.0, 1.0),
        (0.0, 0.0, -1.0),
        (-1.0,),
        (-0.2, -0.2, 1.0),
        (-0.2, -0.2, -1.0),
    ]
    assert [episode.verdict for episode in episodes] == [
        Verdict.PASSED,
        Verdict.PASSED,
        Verdict.RUNTIME_ERROR,
        Verdict.RUNTIME_ERROR,
        Verdict.PASSED,
        Verdict.NO_CODE,
    ]
    assert [len(rows_of(episode)) for episode in episodes] == [1] * 6
    assert rollouts.seconds[0] > 0 and rollouts.seconds[1] > 0


def test_the_same_is_sampled_twice(tmp_path: Path, judge: Judge) -> None:
    """Another iteration is not the same; what is on the disk is not asked again, and is as it was."""
    first = _rollouts(judge, tmp_path / "one").sample(1, BatchEngine())
    assert _rollouts(judge, tmp_path / "two").sample(1, BatchEngine()) == first
    assert _rollouts(judge, tmp_path / "one").sample(1, Nothing()) == first
    assert _rollouts(judge, tmp_path / "one").sample(2, BatchEngine()) != first
    assert len({episode.trajectory for episode in first}) == 12


@pytest.mark.parametrize("kill", range(1, 10))
def test_after_a_kill_a_batch_is_sampled_again_as_it_was(tmp_path: Path, judge: Judge, kill: int) -> None:
    """Wherever that was: equal episodes, and what was whole is not asked again."""
    expected = _rollouts(judge, tmp_path / "whole").sample(1, BatchEngine())
    killed = BatchEngine(kill=kill)
    with pytest.raises(KeyboardInterrupt):
        _rollouts(judge, tmp_path / "killed").sample(1, killed)
    again = BatchEngine()
    assert _rollouts(judge, tmp_path / "killed").sample(1, again) == expected
    kept = (tmp_path / "killed" / "000001.jsonl").read_bytes().splitlines()
    assert len(kept) == 3 and len(again.batches) == 9 - 3 * max(0, (kill - 1) // 3 - 1)


def test_whatever_a_kill_left_of_the_file_the_episodes_are_equal(tmp_path: Path, judge: Judge) -> None:
    """Cut anywhere, with a torn line in the middle, or with lines of somebody else's."""
    file = tmp_path / "000001.jsonl"
    expected = _rollouts(judge, tmp_path).sample(1, BatchEngine())
    data = file.read_bytes()
    lines = data.splitlines(keepends=True)
    moved = json.dumps({**json.loads(lines[1]), "first": 0}).encode() + b"\n"
    other = _rollouts(judge, tmp_path / "other").sample(2, BatchEngine())
    foreign = (tmp_path / "other" / "000002.jsonl").read_bytes()
    assert other != expected
    left = [data[:cut] for cut in range(0, len(data), 997)]
    left += [
        lines[0] + lines[1][:90] + lines[2],
        moved + lines[2],
        foreign,
        b"\xff\n" + data,
        b'{"first": -5}\n[]\n3\n',
    ]
    for bytes_left in left:
        file.write_bytes(bytes_left)
        assert _rollouts(judge, tmp_path).sample(1, BatchEngine()) == expected
        assert _rollouts(judge, tmp_path).sample(1, Nothing()) == expected


def test_beside_each_other_the_same_comes_as_in_lockstep(tmp_path: Path, judge: Judge) -> None:
    """For equal replies, in the order of the dialogues, though they end in another."""
    model = AsyncModel()
    episodes = _rollouts(judge, tmp_path / "async").sample(1, model)
    assert episodes == _rollouts(judge, tmp_path / "lockstep").sample(1, AsBatches(model))
    file = tmp_path / "async" / "000001.jsonl"
    places = [json.loads(line)["first"] for line in file.read_bytes().splitlines()]
    assert sorted(places) == list(range(12))


@pytest.mark.parametrize("kill", [1, 7, 20])
def test_after_a_kill_only_dialogues_that_had_not_ended_are_asked(tmp_path: Path, judge: Judge, kill: int) -> None:
    """Beside each other each counts by itself."""
    expected = _rollouts(judge, tmp_path / "whole").sample(1, AsyncModel())
    with pytest.raises(KeyboardInterrupt):
        _rollouts(judge, tmp_path / "killed").sample(1, AsyncModel(kill=kill))
    file = tmp_path / "killed" / "000001.jsonl"
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    if lines:
        file.write_bytes(b"".join(lines)[:-20])  # the last one is torn
    kept = {json.loads(line)["first"] for line in lines[:-1]}
    model = AsyncModel()
    assert _rollouts(judge, tmp_path / "killed").sample(1, model) == expected
    assert set(model.asked) == {key for place, key in enumerate(_asked(expected)) if place not in kept}


def test_a_live_model_is_asked_in_its_own_loop(tmp_path: Path, judge: Judge) -> None:
    """In every iteration: the engine's tasks live there."""
    model = AsyncModel()
    live = LiveModel(model)  # type: ignore[arg-type]  # which takes no weights here
    try:
        rollouts = _rollouts(judge, tmp_path)
        episodes = [rollouts.sample(iteration, live) for iteration in (1, 2)]
    finally:
        live.close()
    assert episodes[0] == _rollouts(judge, tmp_path / "other").sample(1, AsyncModel())
    assert len(model.loops) == 1


def test_processes_share_the_groups_of_an_iteration(tmp_path: Path, judge: Judge) -> None:
    """Each takes every n-th, whole, into a file of its own; together they are all."""
    settings = replace(SETTINGS, rollouts=15, group=3)
    dialogues = Problems().dialogues(1, rollouts=15, group=3, seed=1)
    parts = [
        _asked(_rollouts(judge, tmp_path, settings, rank=rank, processes=2).sample(1, BatchEngine()))
        for rank in range(2)
    ]
    every = [(dialogue.problem.id, dialogue.sample) for dialogue in dialogues]
    assert parts == [every[0:3] + every[6:9] + every[12:15], every[3:6] + every[9:12]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000001-0.jsonl", "000001-1.jsonl"]


def test_iterations_whose_updates_are_saved_are_forgotten(tmp_path: Path, judge: Judge) -> None:
    """Those before it too, of this process alone; nothing else in the folder is touched."""
    rollouts = _rollouts(judge, tmp_path, rank=0, processes=2)
    for iteration in (1, 2, 3):
        rollouts.sample(iteration, BatchEngine())
    for name in ("000001-1.jsonl", "notes.jsonl", "1.jsonl"):
        (tmp_path / name).write_text("kept")
    rollouts.forget(2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000001-1.jsonl",
        "000003-0.jsonl",
        "1.jsonl",
        "notes.jsonl",
    ]


class Refusing(AsyncModel):
    """Fails for the dialogues of these ``samples``."""

    def __init__(self, *samples: int) -> None:
        super().__init__()
        self.samples = samples

    def answer(self, request: Request) -> Outcome:
        if request.sample in self.samples:
            return RequestError("the server is on fire.")
        return super().answer(request)


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_too_many_failed_requests_stop_the_training(tmp_path: Path, judge: Judge, in_lockstep: bool) -> None:
    """In one sentence, as the machine's failure; what was sampled well stays, and the failed are asked again."""
    settings = replace(SETTINGS, most_spoiled=0.2)
    broken = Refusing(1, 4, 5)
    rollouts = _rollouts(judge, tmp_path, settings)
    with pytest.raises(SpoiledError) as caught:
        rollouts.sample(1, AsBatches(broken) if in_lockstep else broken)
    assert str(caught.value) == (
        "3 of 12 dialogues have no reward (3 by failed requests, 0 by the machine; the first reason: the server is on "
        "fire), which is more than 20%: mend that, then give the same line again, which asks for these and for what "
        "was not sampled."
    )
    assert isinstance(caught.value, InfrastructureError)
    kept = {
        (episode["trajectory"]["problem"], episode["trajectory"]["sample"])
        for line in (tmp_path / "000001.jsonl").read_bytes().splitlines()
        for episode in json.loads(line)["episodes"]
        if episode["rewards"] is not None
    }
    assert kept
    mended = AsyncModel()
    episodes = _rollouts(judge, tmp_path, settings).sample(1, AsBatches(mended) if in_lockstep else mended)
    assert episodes == _rollouts(judge, tmp_path / "sound").sample(1, AsyncModel())
    assert not kept & set(mended.asked)


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_a_few_spoiled_dialogues_are_dropped(tmp_path: Path, judge: Judge, in_lockstep: bool) -> None:
    """They have no reward, nor what the machine spoils: by the public tests, or by the hidden ones."""

    class Spoiling(Refusing):
        def answer(self, request: Request) -> Outcome:
            spoiled = {4: "starved", 5: f"{request.problem[-1]}/starved"}
            if request.sample in spoiled:
                return _said(request, spoiled[request.sample])
            return super().answer(request)

    model = Spoiling(1)
    settings = replace(SETTINGS, most_spoiled=0.25)
    episodes = _rollouts(judge, tmp_path, settings).sample(1, AsBatches(model) if in_lockstep else model)
    dropped = {at: episode for at, episode in enumerate(episodes) if episode.rewards is None}
    assert [(at, episode.verdict, episode.trajectory.end) for at, episode in dropped.items()] == [
        (1, None, End.REQUEST_FAILED),
        (4, None, End.INFRASTRUCTURE_FAILURE),
        (5, None, End.PUBLIC_PASSED),
    ]
    assert all(episode.is_spoiled for episode in dropped.values())
    settings = replace(SETTINGS, most_spoiled=0.2)
    with pytest.raises(SpoiledError, match=r"3 of 12 .*1 by failed requests, 2 by the machine"):
        _rollouts(judge, tmp_path / "strict", settings).sample(1, AsBatches(model) if in_lockstep else model)


@pytest.mark.parametrize("in_lockstep", [False, True])
def test_a_first_prompt_that_is_too_long_is_nobodys_failure(tmp_path: Path, judge: Judge, in_lockstep: bool) -> None:
    """The dialogue is without a call and a reward, however many there are, and is not asked again."""

    class Short(AsyncModel):
        def answer(self, request: Request) -> Outcome:
            if request.sample % 2:
                return ContextOverflowError("5000 tokens leave no room")
            return super().answer(request)

    model = Short()
    episodes = _rollouts(judge, tmp_path).sample(1, AsBatches(model) if in_lockstep else model)
    assert [episode.rewards is None for episode in episodes] == [False, True] * 6
    assert all(episode.calls == () and not episode.is_spoiled for episode in episodes[1::2])
    model.asked.clear()
    assert _rollouts(judge, tmp_path).sample(1, Nothing() if in_lockstep else model) == episodes
    assert model.asked == []


def test_a_model_that_tells_no_tokens_is_refused_before_it_is_asked(tmp_path: Path, judge: Judge) -> None:
    """As servers and recordings are."""
    scripted = ScriptedSampler({}, model="a server")
    with pytest.raises(TurnwiseError, match=r"'a server' does not tell the token ids .*: sample with hf or vllm"):
        _rollouts(judge, tmp_path).sample(1, scripted)
    assert scripted.requests == [] and not list(tmp_path.iterdir())


@pytest.mark.parametrize("change", [{"logprobs": None}, {"token_ids": None}, {"logprobs": (math.nan,)}], ids=str)
def test_a_reply_that_cannot_be_learnt_stops_the_training(
    tmp_path: Path, judge: Judge, change: dict[str, tuple[float, ...] | None]
) -> None:
    """With the model, the dialogue and what is wrong; nothing of it is written."""

    class Odd(BatchEngine):
        def answer(self, request: Request, word: str) -> Outcome:
            return replace(_said(request, "p"), **change, context=None)  # type: ignore[arg-type]

    with pytest.raises(TurnwiseError, match="What 'batches' answers cannot be learnt from: reply 1 of the dialogue 0"):
        _rollouts(judge, tmp_path).sample(1, Odd())
    assert not list(tmp_path.iterdir())


class Afresh:
    """A template that encodes each message as its length; with ``drift`` replies are other ids than were sampled."""

    def __init__(self, drift: int) -> None:
        self._drift = drift

    def encode(self, messages: Sequence[Message]) -> list[int]:
        ids: list[int] = []
        for message in messages:
            words = message.content.split("\n")
            token_ids = [ord(letter) + self._drift for letter in words[1]] if message.role == "assistant" else []
            ids += token_ids or [len(message.content)]
        return ids


@pytest.mark.parametrize("drift", [0, 1])
def test_the_drift_of_later_calls_is_counted(tmp_path: Path, judge: Judge, drift: int) -> None:
    """Those of every fourth dialogue that go on token by token, both calls of a turn that reasons first."""
    strategy = build_strategy(max_turns=2, reasoning=("self_reflection",))
    problems = Problems(DialoguePlan("t", strategy, PROMPTS))

    class Templated(BatchEngine):
        template = Afresh(drift)

        def answer(self, request: Request, word: str) -> Outcome:
            return _said(request, "z")

    episodes = _rollouts(judge, tmp_path, problems=problems).sample(1, Templated())
    calls = [len(episode.calls) for episode in episodes]
    assert calls == [4] * 12 or calls == [3] * 12
    later = [(calls[0] - 1) * (place % 4 == 0) for place in range(12)]
    assert [(episode.drifted, episode.later) for episode in episodes] == [(drift * count, count) for count in later]


@pytest.mark.parametrize(
    "sampling",
    [Sampling(), Sampling(temperature=1.0), Sampling(temperature=1.0, top_p=1.0, max_tokens=5, stop=("x",))],
    ids=str,
)
def test_what_samples_by_the_model_alone_may_be_trained_on(sampling: Sampling) -> None:
    """Temperature 1, or what a model has by itself."""
    check_behaviour_policy(sampling)


@pytest.mark.parametrize(
    ("sampling", "named"),
    [
        (Sampling(temperature=0.8), "temperature=0.8 .*give temperature=1.0"),
        (Sampling(temperature=0.0), "temperature=0 "),
        (Sampling(temperature=1.0, top_p=0.95), "top_p=0.95 .*give no top_p"),
        (Sampling(top_k=50), "top_k=50 .*give no top_k"),
        (Sampling(presence_penalty=1.5), "presence_penalty=1.5 .*give no presence_penalty"),
    ],
    ids=str,
)
def test_another_behaviour_policy_is_refused(sampling: Sampling, named: str) -> None:
    """Its log-probabilities would not be those of what was drawn."""
    with pytest.raises(TurnwiseError, match=f"--gen-kwargs {named}"):
        check_behaviour_policy(sampling)
