"""A sampler of batches as a Model: the requests that wait become the next batch, follow-up turns first.

One batch at a time, in a thread of its own, so that judging and the next requests go on meanwhile. Twice the
batch may be in flight: while one is answered the next one gathers.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from turnwise.records.settings import Sampling
from turnwise.records.trajectory import Reply
from turnwise.runners.models.gate import Gate
from turnwise.runners.models.sampler import Outcome, Request


class Engine(Protocol):
    """What answers batches; ``generate_batch`` is called from one thread only."""

    @property
    def description(self) -> dict[str, str]:
        """What is asked, for run.json."""
        ...

    def generate_batch(self, requests: Sequence[Request]) -> list[Outcome]:
        """Return one outcome per request, in order; a failing request is the error in its place."""
        ...

    def with_sampling(self, sampling: Sampling) -> "Engine":
        """Return the engine that answers with ``sampling``; both share what is loaded."""
        ...


class BatchingModel:
    """Asks ``engine`` batches of at most ``batch_size``."""

    def __init__(self, engine: Engine, *, batch_size: int) -> None:
        self.description = engine.description
        self.gate = Gate(2 * batch_size)
        self._engine = engine
        self._batch_size = batch_size
        self._waiting: list[tuple[Request, asyncio.Future[Outcome]]] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._asking: asyncio.Task[None] | None = None

    async def generate(self, request: Request) -> Reply | None:
        """Return the reply; raises RequestError, ContextOverflowError, or whatever stops the engine."""
        async with self.gate.slot(urgent=request.turn > 0 or request.call > 0):
            place: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            self._waiting.append((request, place))
            if self._asking is None or self._asking.done():
                self._asking = asyncio.create_task(self._ask())
            outcome = await place
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def with_sampling(self, sampling: Sampling) -> "BatchingModel":
        """Return the model asked with ``sampling``, over the same engine."""
        return BatchingModel(self._engine.with_sampling(sampling), batch_size=self._batch_size)

    async def close(self) -> None:
        """Wait for the batch that is being answered."""
        if self._asking is not None:
            self._asking.cancel()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def _ask(self) -> None:
        await asyncio.sleep(0)  # whoever is about to ask may join the batch
        while self._waiting:
            self._waiting.sort(key=lambda one: (-one[0].turn, -one[0].call))
            batch, self._waiting = self._waiting[: self._batch_size], self._waiting[self._batch_size :]
            requests = [request for request, _ in batch]
            try:
                outcomes = await asyncio.get_running_loop().run_in_executor(
                    self._thread, self._engine.generate_batch, requests
                )
            except Exception as error:  # it belongs to those who asked
                for _, place in batch:
                    if not place.done():
                        place.set_exception(error)
                continue
            for (_, place), outcome in zip(batch, outcomes, strict=True):
                if not place.done():
                    place.set_result(outcome)
