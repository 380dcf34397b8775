"""The gate before a model: how many requests are at it, and which of those that wait goes next.

    gate = Gate()
    async with gate.slot(first=request.turn == 0) as slot:
        ...  # ask; where slot.is_probe, call slot.started() with the first token

Follow-up turns go before new dialogues: one that waits loses its place in the server's prefix cache. A server
with room for B sequences is kept full by slightly more than B requests; many more only wait there, where no
order can be given to them. B is found from probes: now and then the newest of the requests in flight is
streamed, and when its first token comes a server that answers in order of arrival has begun all older ones
and none that is younger, so those of them still open are what it runs at a time. It is B if the probe
had to wait, and if it had not there is room for more. No clock and no count of tokens is needed.

It does not ask anything itself, and knows neither dialogues nor servers.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from statistics import median

START = 64
HEADROOM = 1.18
_KEPT_PROBES = 5
_HAD_TO_WAIT = 0.05  # share of the requests in flight that ended before the probe began
_SLOWER = 0.7


class Slot:
    """A request's place at the model."""

    def __init__(self, gate: "Gate", number: int, in_flight: int) -> None:
        self._gate = gate
        self.number = number
        self.in_flight = in_flight
        self.older = in_flight - 1
        self.is_probe = False

    def started(self) -> None:
        """Tell that the model has begun to answer; counts for probes only."""
        self._gate.take_probe(self)


class Gate:
    """At most ``limit`` requests in flight; 0 finds a limit by itself, beginning with ``start``."""

    def __init__(self, limit: int = 0, *, start: int = START) -> None:
        self._finds_limit = not limit
        self._limit = limit or start
        self._ceiling = float("inf")
        self._in_flight = 0
        self._entered = 0
        self._probe: Slot | None = None
        self._found: deque[int] = deque(maxlen=_KEPT_PROBES)
        self._follow_ups: deque[asyncio.Future[None]] = deque()
        self._first_turns: deque[asyncio.Future[None]] = deque()
        self._pauses = 0
        self.on_room: Callable[[], None] = lambda: None

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return max(1, int(min(self._limit, self._ceiling)))

    @property
    def in_flight(self) -> int:
        """How many requests are in flight."""
        return self._in_flight

    @property
    def has_room(self) -> bool:
        """Whether a new dialogue would be let through at once."""
        return self._is_open and not self._follow_ups and not self._first_turns

    @asynccontextmanager
    async def slot(self, *, first: bool) -> AsyncIterator[Slot]:
        """Wait for a place at the model and hold it; ``first`` is the first request of a dialogue."""
        await self._wait(self._first_turns if first else self._follow_ups)
        slot = self._enter()
        try:
            yield slot
        finally:
            self._leave(slot)

    def take_probe(self, slot: Slot) -> None:
        """Learn from a probe that has begun how many requests the model runs at a time."""
        if slot is not self._probe:
            return
        self._probe = None
        running = slot.older + 1
        if slot.in_flight - running > _HAD_TO_WAIT * slot.in_flight:
            self._found.append(running)
            self._limit = max(2, round(HEADROOM * median(self._found)))
        else:
            self._found.clear()
            self._limit = max(self._limit, 2 * running)
        self._admit()

    def refused(self, *, seconds: float) -> None:
        """Slow down, since the server refuses more: fewer in flight, and none sent for ``seconds``."""
        if not self._pauses:  # one refusal, however many requests met it
            self._ceiling = max(1.0, _SLOWER * min(self._in_flight, self.limit))
        self._pauses += 1
        asyncio.get_running_loop().call_later(seconds, self._end_pause)

    def succeeded(self) -> None:
        """Tell that the server answered; after a refusal the gate opens again, one more for each round."""
        self._ceiling += 1 / self._ceiling

    @property
    def _is_open(self) -> bool:
        return self._in_flight < self.limit and not self._pauses

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        if self._is_open and not self._follow_ups and (queue is self._follow_ups or not self._first_turns):
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place in queue:
                queue.remove(place)
            else:  # let in and cancelled at once
                self._in_flight -= 1
                self._admit()
            raise
        self._in_flight -= 1  # held for it by _admit; _enter counts it

    def _enter(self) -> Slot:
        self._in_flight += 1
        self._entered += 1
        slot = Slot(self, self._entered, self._in_flight)
        if self._finds_limit and self._probe is None and self._in_flight >= self.limit:
            slot.is_probe = True
            self._probe = slot
        return slot

    def _leave(self, slot: Slot) -> None:
        self._in_flight -= 1
        if slot is self._probe:
            self._probe = None
        elif self._probe is not None and slot.number < self._probe.number:
            self._probe.older -= 1
        self._admit()

    def _admit(self) -> None:
        while self._is_open and (queue := self._follow_ups or self._first_turns):
            self._in_flight += 1
            queue.popleft().set_result(None)
        if self.has_room:
            self.on_room()

    def _end_pause(self) -> None:
        self._pauses -= 1
        self._admit()
