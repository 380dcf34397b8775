"""Two loops around the dialogue machine: asynchronous, for servers, and lockstep, for batched engines.

Both give identical trajectories for equal replies. The asynchronous one lets each dialogue go at its own
pace and judges beside it; the lockstep one asks for all open dialogues at once, turn by turn. Neither
touches hidden tests.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from turnwise.runners.judge import Judge, JudgeRequest
from turnwise.runners.sampler import BatchSampler, ContextOverflowError, RequestError, Sampler, request_of, take_outcome
from turnwise.tasks.dialogue import Ask, Dialogue, RunPublicTests

Item = TypeVar("Item")
Result = TypeVar("Result")


async def drive(dialogue: Dialogue, sampler: Sampler, judge: Judge) -> None:
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


async def run_asynchronously(
    items: Iterable[Item], carry: Callable[[Item], Coroutine[Any, Any, Result]], *, concurrency: int
) -> AsyncIterator[Result]:
    """Yield what ``carry`` makes of each item as it ends, ``concurrency`` open at a time, begun in order.

    For dialogues ``carry`` is ``drive`` and whatever belongs after it. Closing the iterator cancels what is open.
    """
    waiting = iter(items)
    running: set[asyncio.Task[Result]] = set()
    try:
        while True:
            while len(running) < concurrency and (item := next(waiting, None)) is not None:
                running.add(asyncio.create_task(carry(item)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def run_in_lockstep(dialogues: Sequence[Dialogue], sampler: BatchSampler, judge: Judge) -> None:
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
