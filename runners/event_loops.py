"""An event loop in which a signal ends the work between two of its steps, never in the middle of one.

A handler that raises, as that of Ctrl-C does and the command line's own, raises in whichever line is being run.
In a callback of the loop that exception is swallowed, and in the loop's own code it leaves tasks that nobody ends:
either way the loop may wait for ever. So such handlers are held back while the loop runs.

    with InterruptibleRunner() as runner:
        result = runner.run(work())
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType, TracebackType
from typing import Protocol, Self, TypeVar, runtime_checkable

Result = TypeVar("Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_Handler = Callable[[int, FrameType | None], object]


@runtime_checkable
class Noticing(Protocol):
    """A handler that wants to know at once of the signal that is held back from it, so as to say so."""

    def notice(self) -> None:
        """Take note; called once, in whichever line is being run, and not to raise."""
        ...


class InterruptibleRunner:
    """An ``asyncio.Runner`` whose work is cancelled by SIGINT or SIGTERM; the loop lives until it is closed.

    Once the cancelled work has ended, the handler that was there before is called, which is to raise, with no frame,
    since it interrupts none. The second signal calls it at once, wherever that raises. Signals that have no handler
    written in Python are left as they are, and so are all of them in other threads than the main one, which get none.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._cancel: Callable[[], object] | None = None
        self._held: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def run(self, work: Coroutine[object, object, Result]) -> Result:
        """Return what ``work`` returns; raises what the handler of a signal raises that came meanwhile."""
        with self._signals_held():
            return self._runner.run(self._cancellable(work))

    def close(self) -> None:
        """Cancel what is left in the loop, and close it."""
        with self._signals_held():
            self._runner.close()

    async def _cancellable(self, work: Coroutine[object, object, Result]) -> Result:
        task = asyncio.ensure_future(work)
        self._cancel = task.cancel
        if self._held:
            task.cancel()
        try:
            return await task
        finally:
            self._cancel = None

    @contextlib.contextmanager
    def _signals_held(self) -> Iterator[None]:
        before: dict[int, _Handler] = {}
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in _SIGNALS}
            before = {number: one for number, one in handlers.items() if callable(one)}

        def hold(number: int, frame: FrameType | None) -> None:
            is_second = bool(self._held)
            self._held.append(number)
            if self._cancel is not None:
                self._runner.get_loop().call_soon_threadsafe(self._cancel)
            handler = before[number]
            if is_second:
                handler(number, frame)
            elif isinstance(handler, Noticing):
                handler.notice()

        for number in before:
            signal.signal(number, hold)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            if self._held:
                first = self._held[0]
                self._held.clear()
                before[first](first, None)
