"""ReferenceExecutor: one plain subprocess per test; slow, obviously right, kept as the oracle of parity.

It isolates nothing: a program can read and write whatever the user can, reach the network, and start
processes that outlive it. Use it for programs you trust and for parity tests.

Stdin comes from a regular file and output goes to files. A function-call task runs in one process per
program, which gets the arguments and answers over a control socket (child.py says how); after a call
that had to be killed, the next one starts a fresh process. Limits are the CPU and idle clocks
(process.py), the peak resident set, and the size of what was written.
"""

import math
import os
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from turnwise.benchmarks import values
from turnwise.records.problem import Limits
from turnwise.runners.execution import child
from turnwise.runners.execution.control import (
    ControlSocket,
    OversizeError,
    ProtocolError,
    clean_traceback,
    parse_error,
    parse_message,
)
from turnwise.runners.execution.host import InheritedLimits
from turnwise.runners.execution.interface import Closable, Ending, Execution, Program, Session
from turnwise.runners.execution.interpreters import Interpreter, find_language, inspect_interpreter
from turnwise.runners.execution.process import (
    COMPILE_TIME_LIMIT_SECONDS,
    ProcessEnd,
    WatchedProcess,
    ending_of,
    ran_out_of_memory,
)
from turnwise.runners.execution.workspace import remove_folder

_ERROR_BYTES = 64 * 1024
_VALUE = b'{"value": '


class ReferenceExecutor:
    """Runs each test in a plain subprocess of one interpreter (default: the running one)."""

    name = "reference 1"
    tier = "none"

    def __init__(self, interpreter: str = "") -> None:
        self._interpreter = inspect_interpreter(interpreter)
        self._inherited = InheritedLimits.read()

    @property
    def interpreter(self) -> str:
        """What runs the programs, numpy included."""
        return self._interpreter.description

    def close(self) -> None:
        """Do nothing: no process outlives its session."""

    def open(self, program: Program, language: str, limits: Limits) -> Session:
        """Return a session for ``program``; raises TurnwiseError for a language that is not known."""
        find_language(language)
        kind = _CallSession if program.entry_point else _StdinSession
        return kind(program, limits, self._interpreter, self._inherited)


class _Session(Closable):
    """What both kinds share: the session's folder, the started process, the phase until it is ready."""

    mode = ""

    def __init__(self, program: Program, limits: Limits, interpreter: Interpreter, inherited: InheritedLimits) -> None:
        self._program = program
        self._limits = limits
        self._interpreter = interpreter
        self._inherited = inherited
        self._folder = Path(tempfile.mkdtemp(prefix="turnwise-"))
        self._process: WatchedProcess | None = None
        self._control: ControlSocket | None = None
        (self._folder / "program").write_bytes(program.source)
        (self._folder / "prelude").write_text(program.prelude, encoding="utf-8")

    def run(self, inputs: Iterable[bytes]) -> Iterator[Execution]:
        """Yield one Execution per input, or a single COMPILE_ERROR."""
        for data in inputs:
            execution = self._inherited.read_execution(self._run_once(data), self._limits)
            yield execution
            if execution.ending is Ending.COMPILE_ERROR:
                return

    def _run_once(self, data: bytes) -> Execution:
        raise NotImplementedError

    def close(self) -> None:
        """End whatever still runs and remove the session's files."""
        self._stop()
        remove_folder(str(self._folder))

    def _stop(self) -> ProcessEnd | None:
        end = self._process.finish() if self._process else None
        if self._control:
            self._control.close()
        self._process = self._control = None
        return end

    def _start(self, stdin: bytes) -> tuple[WatchedProcess, ControlSocket]:
        work = self._folder / "work"
        remove_folder(str(work))
        work.mkdir()
        (work / child.NAME).write_bytes(self._program.source)
        (self._folder / "stdin").write_bytes(stdin)
        if self._program.input_file:
            (work / self._program.input_file).write_bytes(stdin)
        ours, theirs = socket.socketpair()
        with (
            theirs,
            (self._folder / "stdin").open("rb") as given,
            (self._folder / "stdout").open("wb") as out,
            (self._folder / "stderr").open("wb") as err,
        ):
            number = theirs.fileno()
            command = [self._interpreter.path, "-s", "-W", "ignore", child.__file__, self.mode, str(number)]
            command += [str(self._folder / "program"), *self._limit_arguments(), *self._call_arguments()]
            self._control = ControlSocket(ours, limit=self._limits.output_limit_bytes)
            self._process = WatchedProcess(command, folder=work, stdin=given, stdout=out, stderr=err, inherit=[number])
            self._process.watch(ours.fileno())
        return self._process, self._control

    def _limit_arguments(self) -> list[str]:
        limits = self._limits
        whole = math.ceil(limits.time_limit_seconds + COMPILE_TIME_LIMIT_SECONDS)
        seconds = 0 if self._program.entry_point else whole
        return list(map(str, (limits.memory_limit_bytes, limits.output_limit_bytes + 1, seconds)))

    def _call_arguments(self) -> list[str]:
        paths = [values.__file__, self._folder / "prelude", self._folder / "arguments"]
        return [self._program.entry_point, *map(str, paths), self._program.writer]

    def _await_ready(self, process: WatchedProcess, control: ControlSocket) -> float | Execution:
        """Return the CPU clock when the program was compiled, or the execution that says why it was not."""
        limits = Limits(COMPILE_TIME_LIMIT_SECONDS, self._limits.memory_limit_bytes)
        line = None
        try:
            while line is None:
                ending = process.wait(limits, cpu_start=0.0)
                if ending is Ending.STARVED:
                    return Execution(Ending.STARVED)
                if ending is not None:
                    return Execution(Ending.COMPILE_ERROR, error=f"Compiling the program passed its {ending}.")
                line = control.receive()
            message = parse_message(line)
        except EOFError:
            end = process.finish()
            if os.WIFSIGNALED(end.status):  # a source that crashes the compiler
                return Execution(Ending.COMPILE_ERROR, error=f"Compiling crashed. {end.describe()}")
            return Execution(Ending.INFRASTRUCTURE, error=self._tail("stderr").decode("utf-8", "replace"))
        if "ready" in message:
            return float(message["ready"])
        return Execution(Ending.COMPILE_ERROR, error=clean_traceback(str(message.get("compile_error"))))

    def _tail(self, name: str) -> bytes:
        path = self._folder / name
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _ERROR_BYTES))
            return file.read()

    def _wrote_too_much(self) -> bool:
        limit = self._limits.output_limit_bytes
        return any((self._folder / name).stat().st_size > limit for name in ("stdout", "stderr"))


class _StdinSession(_Session):
    mode = "stdin"

    def _run_once(self, data: bytes) -> Execution:
        try:
            process, control = self._start(data)
            ready = self._await_ready(process, control)
            if isinstance(ready, Execution):
                return ready
            process.unwatch(control.connection.fileno())
            process.clocks.restart_idle()
            stopped = process.wait(self._limits, cpu_start=ready)
            return self._describe(process, process.finish(), stopped, ready)
        finally:
            self._stop()

    def _describe(self, process: WatchedProcess, end: ProcessEnd, stopped: Ending | None, ready: float) -> Execution:
        used = max(0.0, end.cpu_seconds - ready)
        error = self._tail("stderr").decode("utf-8", "replace")
        words = "" if stopped else end.describe()
        return Execution(
            stopped
            or ending_of(end, self._limits, cpu_seconds=used, error=error, wrote_too_much=self._wrote_too_much()),
            output=self._output(),
            error=clean_traceback("\n".join(filter(None, (error.rstrip("\n"), words)))),
            cpu_seconds=used,
            idle_seconds=process.clocks.idle_seconds,
            peak_memory_bytes=end.peak_memory_bytes,
        )

    def _output(self) -> bytes:
        written = self._folder / "work" / self._program.output_file
        path = written if self._program.output_file and written.is_file() else self._folder / "stdout"
        with path.open("rb") as file:
            return file.read(self._limits.output_limit_bytes)


class _CallSession(_Session):
    mode = "call"

    def _run_once(self, data: bytes) -> Execution:
        if self._process is None or self._control is None:
            process, control = self._start(b"")
            ready = self._await_ready(process, control)
            if isinstance(ready, Execution):
                self._stop()
                return ready
            process.clocks.restart_idle()
            start = ready
        else:
            process, control = self._process, self._control
            process.clocks.restart_idle()
            start = process.clocks.cpu_seconds
        (self._folder / "arguments").write_bytes(data)
        try:
            line = self._exchange(process, control, start)
            used = max(0.0, process.clocks.cpu_seconds - start)
            if isinstance(line, Ending):
                idle, peak = process.clocks.idle_seconds, process.clocks.peak_memory_bytes
                self._stop()
                return Execution(line, cpu_seconds=used, idle_seconds=idle, peak_memory_bytes=peak)
            return self._read(line, process, used)
        except (EOFError, ProtocolError) as error:
            return self._fail(error, start)

    def _exchange(self, process: WatchedProcess, control: ControlSocket, start: float) -> bytes | Ending:
        control.request()
        while True:
            stopped = process.wait(self._limits, cpu_start=start)
            if stopped is not None:
                return stopped
            line = control.receive_answer()
            if line is not None:
                return line

    def _read(self, line: bytes, process: WatchedProcess, used: float) -> Execution:
        # The value is passed on as it came: whoever decodes it finds out whether it is one.
        output = line[len(_VALUE) : -1] if line.startswith(_VALUE) else b""
        error = "" if output else clean_traceback(parse_error(line))
        peak = process.clocks.peak_memory_bytes
        if used > self._limits.time_limit_seconds:
            ending = Ending.CPU_LIMIT
        elif peak > self._limits.memory_limit_bytes or ran_out_of_memory(error):
            ending = Ending.MEMORY_LIMIT
        elif self._wrote_too_much():
            ending = Ending.OUTPUT_LIMIT
        else:
            ending = Ending.FINISHED if output else Ending.FAILED
        if ending is Ending.MEMORY_LIMIT or ending is Ending.OUTPUT_LIMIT:
            self._stop()  # what the process holds or has written must not fail the calls after it
        output = output if ending is Ending.FINISHED else b""
        return Execution(ending, output, error, used, process.clocks.idle_seconds, peak)

    def _fail(self, error: Exception, start: float) -> Execution:
        end = self._stop()
        ending = Ending.OUTPUT_LIMIT if isinstance(error, OversizeError) else Ending.FAILED
        text = "The program ended before it returned a result."
        if isinstance(error, ProtocolError):
            text = f"The program wrote to the judge's channel: {error}."
        elif end is not None and end.status:
            text = f"{text} {end.describe()}"
        used = max(0.0, end.cpu_seconds - start) if end else 0.0
        return Execution(ending, error=text, cpu_seconds=used)
