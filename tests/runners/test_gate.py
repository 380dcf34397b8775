"""The gate: never more than its limit, follow-ups first, and the server's batch found from probes."""

import asyncio
import heapq
import random

import pytest

from turnwise.runners.models.gate import HEADROOM, Gate


async def _idle(turns: int = 5) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)


async def _hold(gate: Gate, order: list[str], name: str, *, urgent: bool, end: asyncio.Event) -> None:
    async with gate.slot(urgent=urgent):
        order.append(name)
        await end.wait()


def test_follow_ups_go_before_new_dialogues() -> None:
    """Whatever came first; each kind in its own order."""

    async def run() -> list[str]:
        gate, order, end = Gate(1), [], asyncio.Event()
        end.set()
        async with gate.slot(urgent=False):
            names = [("new 1", False), ("new 2", False), ("follow-up 1", True), ("follow-up 2", True)]
            tasks = [asyncio.create_task(_hold(gate, order, name, urgent=urgent, end=end)) for name, urgent in names]
            await _idle()
            assert order == [] and not gate.has_room
        await asyncio.gather(*tasks)
        assert gate.in_flight == 0 and gate.has_room
        return order

    assert asyncio.run(run()) == ["follow-up 1", "follow-up 2", "new 1", "new 2"]


def test_a_reserved_place_is_for_the_urgent_alone() -> None:
    """Others leave it free, however many they are; with one place in all nobody is shut out."""

    async def run() -> None:
        gate, order, end = Gate(3, reserved=1), [], asyncio.Event()
        tasks = [asyncio.create_task(_hold(gate, order, str(i), urgent=False, end=end)) for i in range(4)]
        await _idle()
        assert order == ["0", "1"]
        tasks.append(asyncio.create_task(_hold(gate, order, "urgent", urgent=True, end=end)))
        await _idle()
        assert order == ["0", "1", "urgent"]
        end.set()
        await asyncio.gather(*tasks)
        async with Gate(1, reserved=1).slot(urgent=False):
            pass

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(5))
def test_the_limit_holds_and_no_place_is_lost_when_waiting_is_cancelled(seed: int) -> None:
    """Also where a request is cancelled in the moment it is let in."""
    chance = random.Random(seed)

    async def run() -> None:
        gate, most = Gate(3), 0

        async def hold() -> None:
            nonlocal most
            async with gate.slot(urgent=chance.random() < 0.5):
                most = max(most, gate.in_flight)
                await _idle(chance.randint(0, 4))

        tasks = [asyncio.create_task(hold()) for _ in range(60)]
        while not all(task.done() for task in tasks):
            chance.choice(tasks).cancel()
            await asyncio.sleep(0)
        assert (most, gate.in_flight) == (3, 0)
        async with gate.slot(urgent=False), gate.slot(urgent=False), gate.slot(urgent=False):
            assert not gate.has_room

    asyncio.run(run())


def test_a_refusal_slows_down_and_success_speeds_up_again() -> None:
    """Refusals that come together count once; nobody is let in before the time is over."""

    async def run() -> None:
        gate, order, end = Gate(100), [], asyncio.Event()
        tasks = [asyncio.create_task(_hold(gate, order, str(i), urgent=False, end=end)) for i in range(10)]
        await _idle()
        gate.refused(seconds=0.02)
        gate.refused(seconds=0.03)
        assert gate.limit == 7
        end.set()
        await asyncio.gather(*tasks)
        assert not gate.has_room
        async with gate.slot(urgent=False):
            assert not gate._pauses
        for _ in range(1000):
            gate.succeeded()
        assert 40 < gate.limit < 60

    asyncio.run(run())


class SimulatedServer:
    """Takes requests in order, ``batch`` at a time, in a time of its own; ``lengths`` decides how long each takes."""

    def __init__(self, gate: Gate, batch: int, lengths: list[float]) -> None:
        self._gate, self._batch, self._lengths = gate, batch, lengths
        self._queue: list[tuple[int, asyncio.Future[None], asyncio.Future[None]]] = []
        self._running: list[tuple[float, int, asyncio.Future[None]]] = []
        self.limits: list[int] = []

    async def ask(self, number: int) -> None:
        """Ask one request; it ends when the simulated time is there."""
        loop = asyncio.get_running_loop()
        async with self._gate.slot(urgent=False) as slot:
            begun, ended = loop.create_future(), loop.create_future()
            self._queue.append((number, begun, ended))
            if slot.is_probe:
                begun.add_done_callback(lambda _: slot.started())
            await ended

    async def run(self) -> None:
        """Let the time go by until all have been answered."""
        now = 0.0
        tasks = [asyncio.create_task(self.ask(number)) for number in range(len(self._lengths))]
        await _idle()
        while self._queue or self._running:
            while self._queue and len(self._running) < self._batch:
                number, begun, ended = self._queue.pop(0)
                begun.set_result(None)
                heapq.heappush(self._running, (now + self._lengths[number], number, ended))
            await _idle()
            if self._queue and len(self._running) < self._batch:
                continue
            now, _, ended = heapq.heappop(self._running)
            ended.set_result(None)
            await _idle()
            self.limits.append(self._gate.limit)
        await asyncio.gather(*tasks)


@pytest.mark.parametrize("batch", [4, 48, 64, 200, 500])
@pytest.mark.parametrize("lengths", ["equal", "log-normal", "mostly short"])
def test_the_batch_of_a_server_is_found(batch: int, lengths: str) -> None:
    """Settled at 1.1 to 1.25 of it, whatever the lengths of the answers, also where all are alike."""
    chance = random.Random(batch)
    draw = {
        "equal": lambda: 1.0,
        "log-normal": lambda: chance.lognormvariate(0, 0.8),
        "mostly short": lambda: 0.01 if chance.random() < 0.9 else 10.0,
    }[lengths]

    async def run() -> list[int]:
        server = SimulatedServer(Gate(), batch, [draw() for _ in range(12 * batch + 300)])
        await server.run()
        return server.limits

    limits = asyncio.run(run())
    settled = limits[len(limits) // 2 : -2 * batch]
    assert all(1.1 * batch - 1 <= one <= 1.25 * batch + 1 for one in settled), (min(settled), max(settled))
    assert HEADROOM < 1.25
