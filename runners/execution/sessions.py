"""Sessions of the hardened executor: one program on one worker, its runs read as Executions.

The program is compiled at the first run. A worker that fails under it makes that run an infrastructure
failure, and the next run gets another worker; nothing that fails here is blamed on the program.
"""

from collections.abc import Iterable, Iterator

from turnwise.errors import InfrastructureError
from turnwise.records.problem import Limits
from turnwise.runners.execution.calls import Calls
from turnwise.runners.execution.child import NAME
from turnwise.runners.execution.control import OversizeError, ProtocolError, parse_error
from turnwise.runners.execution.endings import ending_of, ran_out_of_memory
from turnwise.runners.execution.inherited import InheritedLimits
from turnwise.runners.execution.interface import Closable, Ending, Execution, Program
from turnwise.runners.execution.opened_program import OpenedProgram
from turnwise.runners.execution.pool import WorkerPool
from turnwise.runners.execution.process import ProcessEnd
from turnwise.runners.execution.tracebacks import clean_traceback
from turnwise.runners.execution.worker import Worker, WorkerKind

_VALUE = b'{"value": '


class _Session(Closable):
    """What both kinds share: the worker, the runner's socket, and how a program gets compiled."""

    def __init__(
        self, program: Program, limits: Limits, pool: WorkerPool, kind: WorkerKind, inherited: InheritedLimits
    ) -> None:
        self._program = program
        self._limits = limits
        self._pool = pool
        self._kind = kind
        self._inherited = inherited
        self._opened: OpenedProgram | None = None
        self._refused: Execution | None = None

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        """Yield one Execution per input, or a single COMPILE_ERROR."""
        for data in inputs:
            execution = self._refused or self._inherited.read_execution(self._run_once(data), self._limits)
            yield execution
            if execution.ending is Ending.COMPILE_ERROR:
                self._refused = execution
                return

    def _run_once(self, data: bytes) -> Execution:
        try:
            if self._opened is None:
                self._opened = OpenedProgram(self._pool, self._kind, self._program, self._limits)
                spoiled = self._opened.await_compiled()
                if spoiled is not None:
                    self.close()
                    return spoiled
            return self._run_compiled(self._opened, data)
        except (OSError, EOFError, InfrastructureError) as error:
            if self._opened is not None:
                self._opened.worker.usable = False
            self.close()
            return Execution(Ending.INFRASTRUCTURE, error=f"The sandbox failed: {error}")

    def _run_compiled(self, opened: OpenedProgram, data: bytes) -> Execution:
        raise NotImplementedError

    def opened_worker(self) -> Worker | None:
        """Return the worker that holds the program, if it has been started; for tests and diagnosis."""
        return self._opened.worker if self._opened else None

    def close(self) -> None:
        """End whatever still runs and give the worker back."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class StdinSession(_Session):
    """A program that runs once per input."""

    def _run_compiled(self, opened: OpenedProgram, data: bytes) -> Execution:
        worker, program = opened.worker, self._program
        worker.files.give_input(data)
        if worker.workspace:
            worker.workspace.renew(_files_of(program, data))
        opened.channel.send(b"run")
        stopped, clocks = opened.await_report(self._limits)
        end = opened.report(kill=stopped is not None)
        error = worker.files.error()
        limit = self._limits.output_limit_bytes
        ending = stopped or ending_of(
            end,
            self._limits,
            cpu_seconds=end.cpu_seconds,
            error=error,
            wrote_too_much=worker.files.wrote_more_than(limit),
        )
        written = worker.workspace.read(program.output_file, limit) if worker.workspace else None
        words = "" if stopped else end.describe()
        return Execution(
            ending,
            output=worker.files.output(limit) if written is None else written,
            error=clean_traceback("\n".join(filter(None, (error.rstrip("\n"), words)))) if error or words else "",
            cpu_seconds=end.cpu_seconds,
            idle_seconds=clocks.idle_seconds if clocks else 0.0,
            peak_memory_bytes=end.peak_memory_bytes,
        )


def _files_of(program: Program, data: bytes) -> dict[str, bytes]:
    """Return what lies in the folder of a program that has one, when it starts."""
    given = {program.input_file: data} if program.input_file else {}
    return {NAME: program.source} | given


class CallSession(_Session):
    """A program that is loaded once and whose function is called per input."""

    _calls: Calls | None = None

    def _run_compiled(self, opened: OpenedProgram, data: bytes) -> Execution:
        calls = self._calls
        if calls is None:
            calls = self._calls = Calls(opened, self._limits)
        else:
            calls.restart_clocks()
        opened.worker.files.give_arguments(data)
        try:
            answer = calls.exchange()
        except (EOFError, ProtocolError) as error:
            return self._fail(opened, calls, error)
        if isinstance(answer, Ending):
            self._stop(opened)
            return calls.execution(answer)
        return self._read(opened, calls, answer)

    def _read(self, opened: OpenedProgram, calls: Calls, line: bytes) -> Execution:
        # The value is passed on as it came: whoever decodes it finds out whether it is one.
        output = line[len(_VALUE) : -1] if line.startswith(_VALUE) else b""
        try:
            error = "" if output else clean_traceback(parse_error(line))
        except ProtocolError as problem:
            return self._fail(opened, calls, problem)
        calls.sample()
        if calls.cpu_seconds > self._limits.time_limit_seconds:
            ending = Ending.CPU_LIMIT
        elif calls.peak_memory_bytes > self._limits.memory_limit_bytes or ran_out_of_memory(error):
            ending = Ending.MEMORY_LIMIT
        elif opened.worker.files.wrote_more_than(self._limits.output_limit_bytes):
            ending = Ending.OUTPUT_LIMIT
        else:
            ending = Ending.FINISHED if output else Ending.FAILED
        if ending is Ending.MEMORY_LIMIT or ending is Ending.OUTPUT_LIMIT:
            self._stop(opened)  # what the process holds or has written must not fail the calls after it
        return calls.execution(ending, output=output if ending is Ending.FINISHED else b"", error=error)

    def _fail(self, opened: OpenedProgram, calls: Calls, error: Exception) -> Execution:
        # Its channel's end is seen before its own: it is dying, or has closed the channel and goes on.
        goes_on = not isinstance(error, EOFError) or opened.goes_on_after(calls.cpu_start + calls.cpu_seconds)
        end = self._stop(opened, kill=goes_on)
        ending = Ending.OUTPUT_LIMIT if isinstance(error, OversizeError) else Ending.FAILED
        if end.was_killed and not goes_on:
            ending = Ending.INFRASTRUCTURE  # as in endings.py
        text = "The program ended before it returned a result."
        if isinstance(error, ProtocolError):
            text = f"The program wrote to the judge's channel: {error}."
        elif end.status:
            text = f"{text} {end.describe()}"
        return Execution(ending, error=text, cpu_seconds=max(0.0, end.cpu_seconds - calls.cpu_start))

    def _stop(self, opened: OpenedProgram, *, kill: bool = True) -> ProcessEnd:
        end = opened.report(kill=kill)
        self._forget()
        opened.worker.files.clear()
        return end

    def _forget(self) -> None:
        if self._calls is not None:
            self._calls.close()
            self._calls = None

    def close(self) -> None:
        """End whatever still runs and give the worker back."""
        self._forget()
        super().close()
