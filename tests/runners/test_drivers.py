"""Both drivers give identical trajectories, whatever the model says and in whatever order it answers."""

import asyncio
import random
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnwise.records.codec import to_line
from turnwise.records.problem import Limits, Problem, TestCase
from turnwise.records.trajectory import End, Reply
from turnwise.runners.drivers import drive, run_asynchronously, run_in_lockstep
from turnwise.runners.execution.interface import Ending, Execution, Program
from turnwise.runners.judging.judge import Judge
from turnwise.runners.models.sampler import ContextOverflowError, Request, RequestError, ScriptedSampler
from turnwise.tasks.dialogue import Dialogue, DialoguePlan
from turnwise.tasks.prompts import PromptSet
from turnwise.tasks.strategies import multi_turn

PROBLEMS = tuple(
    Problem(f"b/{name}", "b", "test", f"Say {name}.", (TestCase("", name), TestCase("x", name)), ()) for name in "pqr"
)
PLAN = DialoguePlan("t", multi_turn(3), PromptSet.load(), seed=3)
WORDS = ["p", "q", "r", "crash", "", "no code", "overflow", "refused"]


class EchoExecutor:
    """A fake executor: a program is its own output, and "crash" fails."""

    name, tier, interpreter = "echo 1", "none", "no Python"

    def open(self, program: Program, language: str, limits: Limits) -> "EchoExecutor":
        session = EchoExecutor()
        session.source = program.source.strip()
        return session

    source = b""

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        for _ in inputs:
            yield Execution(Ending.FAILED if self.source == b"crash" else Ending.FINISHED, self.source)

    def close(self) -> None: ...

    def __enter__(self) -> "EchoExecutor":
        return self

    def __exit__(self, *error: object) -> None: ...


class SlowSampler(ScriptedSampler):
    """Answers out of order."""

    async def generate(self, request: Request) -> Reply | None:
        await asyncio.sleep(random.random() / 1000)
        return self.answer(request)


def _dialogues(samples: int) -> list[Dialogue]:
    return [Dialogue(problem, sample, PLAN) for problem in PROBLEMS for sample in range(samples)]


def _text(word: str) -> str | Exception:
    if word in ("overflow", "refused"):
        return ContextOverflowError() if word == "overflow" else RequestError("refused")
    return word if word in ("", "no code") else f"```python\n{word}\n```"


async def _gather(dialogues: list[Dialogue], sampler: ScriptedSampler, judge: Judge, concurrency: int) -> int:
    async def carry(dialogue: Dialogue) -> Dialogue:
        await drive(dialogue, sampler, judge)
        return dialogue

    return len([one async for one in run_asynchronously(dialogues, carry, concurrency=lambda: concurrency)])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=4), min_size=6, max_size=6), st.integers(1, 7))
def test_both_drivers_give_identical_trajectories(scripts: list[list[str]], concurrency: int) -> None:
    """Byte for byte, in plan order, also where answers run out or requests fail."""
    judge = Judge(EchoExecutor(), workers=2)
    lockstep, asynchronous = _dialogues(2), _dialogues(2)
    replies = {
        (dialogue.problem.id, dialogue.sample): tuple(map(_text, script))
        for dialogue, script in zip(lockstep, scripts, strict=True)
        if script != ["crash"]
    }
    run_in_lockstep(lockstep, ScriptedSampler(replies), judge)
    assert asyncio.run(_gather(asynchronous, SlowSampler(replies), judge, concurrency)) == 6
    judge.close()
    assert [to_line(one.trajectory()) for one in lockstep] == [to_line(one.trajectory()) for one in asynchronous]


def test_a_failing_request_fails_its_dialogue_alone() -> None:
    """The others go on to their ends."""
    judge = Judge(EchoExecutor())
    dialogues = _dialogues(1)
    sampler = ScriptedSampler({("b/p", 0): (_text("p"),), ("b/r", 0): (_text("q"), _text("r"))})
    run_in_lockstep(dialogues, sampler, judge)
    ends = [dialogue.trajectory().end for dialogue in dialogues]
    assert ends == [End.PUBLIC_PASSED, End.REQUEST_FAILED, End.PUBLIC_PASSED]


def test_a_dialogue_that_outgrows_the_context_has_failed() -> None:
    """It is the model's outcome: not missing, with the turns it had."""
    (dialogue,) = _dialogues(1)[:1]
    run_in_lockstep([dialogue], ScriptedSampler({("b/p", 0): (_text("q"), _text("overflow"))}), Judge(EchoExecutor()))
    trajectory = dialogue.trajectory()
    assert (trajectory.end, trajectory.is_missing, len(trajectory.turns)) == (End.CONTEXT_OVERFLOW, False, 1)


def test_an_error_of_the_sampler_ends_the_run_and_leaves_nothing_running() -> None:
    """What is no RequestError is a bug or a stop: it comes through, and open dialogues are cancelled."""

    class BrokenSampler(ScriptedSampler):
        async def generate(self, request: Request) -> Reply | None:
            if request.problem == "b/q":
                raise ZeroDivisionError
            await asyncio.sleep(60)
            return None

    async def run() -> int:
        with pytest.raises(ZeroDivisionError):
            await _gather(_dialogues(1), BrokenSampler({}), Judge(EchoExecutor()), 3)
        return len(asyncio.all_tasks())

    assert asyncio.run(run()) == 1


def test_requests_carry_the_dialogue_the_turn_and_a_seed() -> None:
    """A sampler can tell every call from every other."""
    sampler = ScriptedSampler({("b/p", 0): (_text("q"), _text("p"))})
    run_in_lockstep(_dialogues(1)[:1], sampler, Judge(EchoExecutor()))
    assert [(one.problem, one.sample, one.turn, one.call) for one in sampler.requests] == [
        ("b/p", 0, 0, 0),
        ("b/p", 0, 1, 0),
    ]
    assert len({one.seed for one in sampler.requests}) == 2
    outcomes = sampler.generate_batch([Request("t", "b/z", 0, 0, 0, (), 0)])
    assert isinstance(outcomes[0], RequestError)
