"""The gate before a model: how many requests are at it, and which of those that wait goes next.

    gate = Gate()
    async with gate.slot(urgent=request.turn > 0) as slot:
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

START = 64
HEADROOM = 1.18
_KEPT_PROBES = 8
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
    """At most ``limit`` requests in flight, urgent ones first; 0 finds a limit by itself, beginning with ``start``.

    ``reserved`` of the places are for urgent requests alone.
    """

    def __init__(self, limit: int = 0, *, start: int = START, reserved: int = 0) -> None:
        self._finds_limit = not limit
        self._limit = limit or start
        self._reserved = reserved
        self._ceiling = float("inf")
        self._in_flight = 0
        self._entered = 0
        self._probe: Slot | None = None
        self._found: deque[int] = deque(maxlen=_KEPT_PROBES)
        self._urgent: deque[asyncio.Future[Slot]] = deque()
        self._others: deque[asyncio.Future[Slot]] = deque()
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
        return self._next_queue is None and self._is_open(urgent=False)

    @asynccontextmanager
    async def slot(self, *, urgent: bool) -> AsyncIterator[Slot]:
        """Wait for a place and hold it; ``urgent`` ones (follow-up turns) go before all others."""
        slot = await self._wait(urgent=urgent)
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
            self._found.append(running)  # at most the batch; less where several requests ended together
            self._limit = max(2, round(HEADROOM * max(self._found)))
        else:
            self._found.clear()
            self._limit = max(self._limit, 2 * running)
        self._admit()

    def keep_limit(self) -> None:
        """Look for no other limit, since the model cannot tell when it begins to answer."""
        self._finds_limit = False

    def refused(self, *, seconds: float) -> None:
        """Slow down, since the server refuses more: fewer in flight, and none sent for ``seconds``."""
        if not self._pauses:  # one refusal, however many requests met it
            self._ceiling = max(1.0, _SLOWER * min(self._in_flight, self.limit))
        self._pauses += 1
        asyncio.get_running_loop().call_later(seconds, self._end_pause)

    def succeeded(self) -> None:
        """Tell that the server answered; after a refusal the gate opens again, one more for each round."""
        self._ceiling += 1 / self._ceiling

    def _is_open(self, *, urgent: bool) -> bool:
        places = self.limit if urgent else max(1, self.limit - self._reserved)
        return self._in_flight < places and not self._pauses

    @property
    def _next_queue(self) -> deque[asyncio.Future[Slot]] | None:
        """The queue whose first may go in now, or would be the first to."""
        if self._urgent:
            return self._urgent
        return self._others or None

    async def _wait(self, *, urgent: bool) -> Slot:
        queue = self._urgent if urgent else self._others
        is_ahead = not self._urgent and (urgent or not self._others)
        if is_ahead and self._is_open(urgent=urgent):
            return self._enter()
        place: asyncio.Future[Slot] = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # let in and cancelled at once
                self._leave(place.result())
            elif place in queue:
                queue.remove(place)
                self._admit()
            raise

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
        while (queue := self._next_queue) is not None and self._is_open(urgent=queue is self._urgent):
            place = queue.popleft()
            if not place.cancelled():
                place.set_result(self._enter())
        if self.has_room:
            self.on_room()

    def _end_pause(self) -> None:
        self._pauses -= 1
        self._admit()
