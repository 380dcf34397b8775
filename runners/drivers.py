"""Two loops around the dialogue machine: asynchronous, for servers, and lockstep, for batched engines.

Both give identical trajectories for equal replies. The asynchronous one lets each dialogue go at its own
pace and judges beside it; the lockstep one asks for all open dialogues at once, turn by turn. Neither
touches hidden tests.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from turnwise.records.problem import Problem
from turnwise.records.report import Report
from turnwise.runners.judging.judge import JudgeRequest
from turnwise.runners.models.sampler import (
    BatchSampler,
    ContextOverflowError,
    RequestError,
    Sampler,
    request_of,
    take_outcome,
)
from turnwise.tasks.dialogue import Ask, Dialogue, RunPublicTests

Item = TypeVar("Item")
Result = TypeVar("Result")


class ProgramJudge(Protocol):
    """What is used here of a Judge."""

    async def judge_async(
        self, problem: Problem, program: str | None, *, hidden: bool = True, traced: bool = False
    ) -> Report:
        """Await the report on a program."""
        ...

    def judge_many(self, requests: Iterable[JudgeRequest]) -> Iterator[Report]:
        """Yield the reports on some programs, in their order."""
        ...


async def drive(dialogue: Dialogue, sampler: Sampler, judge: ProgramJudge) -> None:
    """Carry one dialogue to its end."""
    while (step := dialogue.next_step()) is not None:
        if isinstance(step, RunPublicTests):
            found = await judge.judge_async(step.problem, step.program, hidden=False, traced=step.traced)
            dialogue.report(found)
            continue
        try:
            take_outcome(dialogue, step, await sampler.generate(request_of(dialogue, step)))
        except (RequestError, ContextOverflowError) as error:
            take_outcome(dialogue, step, error)


class Room(Protocol):
    """Whether another item may be begun besides those that are open."""

    @property
    def has_room(self) -> bool:
        """Whether one more may begin."""
        ...

    on_room: Callable[[], None]


async def run_asynchronously(
    items: Iterable[Item],
    carry: Callable[[Item], Coroutine[object, object, Result]],
    *,
    concurrency: Callable[[], int],
    room: Room | None = None,
) -> AsyncGenerator[Result, None]:
    """Yield what ``carry`` makes of each item as it ends, begun in order, at most ``concurrency()`` open at a time.

    Where there is a ``room`` (the gate before a model) the next item waits for it too, so that no more are open
    than can be asked and judged. For dialogues ``carry`` is ``drive`` and whatever belongs after it. Closing
    the iterator cancels what is open.
    """
    waiting = iter(items)
    open_tasks: set[asyncio.Task[Result]] = set()
    ended: deque[asyncio.Task[Result]] = deque()
    wake = asyncio.Event()
    is_exhausted = False

    def end(task: asyncio.Task[Result]) -> None:
        open_tasks.discard(task)
        ended.append(task)
        wake.set()

    if room is not None:
        room.on_room = wake.set
    try:
        while True:
            wake.clear()
            while ended:
                yield ended.popleft().result()
            while not is_exhausted and len(open_tasks) < concurrency() and (room is None or room.has_room):
                item = next(waiting, None)
                if item is None:
                    is_exhausted = True
                    break
                task = asyncio.create_task(carry(item))
                open_tasks.add(task)
                task.add_done_callback(end)
                await asyncio.sleep(0)  # it goes on to the model, which may have no more room then
            if is_exhausted and not open_tasks and not ended:
                return
            await wake.wait()
    finally:
        for task in open_tasks:
            task.cancel()
        await asyncio.gather(*open_tasks, *ended, return_exceptions=True)


def run_in_lockstep(dialogues: Sequence[Dialogue], sampler: BatchSampler, judge: ProgramJudge) -> None:
    """Carry all dialogues to their ends, one batched request per turn and call."""
    while True:
        steps = [(dialogue, dialogue.next_step()) for dialogue in dialogues]
        asks = [(dialogue, step) for dialogue, step in steps if isinstance(step, Ask)]
        runs = [(dialogue, step) for dialogue, step in steps if isinstance(step, RunPublicTests)]
        if not asks and not runs:
            return
        if asks:
            outcomes = sampler.generate_batch([request_of(dialogue, ask) for dialogue, ask in asks])
            for (dialogue, ask), outcome in zip(asks, outcomes, strict=True):
                take_outcome(dialogue, ask, outcome)
        requests = [JudgeRequest(run.problem, run.program, hidden=False, traced=run.traced) for _, run in runs]
        for (dialogue, _), report in zip(runs, judge.judge_many(requests), strict=True):
            dialogue.report(report)
