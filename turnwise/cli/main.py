"""The process of the command line: names of options, signals, and errors as one sentence, never a traceback.

Exit status: 0 done, 2 bad input or missing data, 3 the machine failed (infrastructure), 130 interrupted, 141 nobody
reads what is printed any more.
"""

import errno
import io
import os
import sys
from collections.abc import Sequence

from turnwise.cli.process import (
    STATUS,
    Interrupter,
    Interruption,
    check_surroundings,
    failure_of_machine,
    open_missing_streams,
    say_interrupted,
)
from turnwise.errors import InfrastructureError, TurnwiseError

_LIMITED = {
    errno.EMFILE: "raise the limit of open files (ulimit -n 4096)",
    errno.EFBIG: "raise the limit of the size of a file (ulimit -f unlimited)",
    errno.EAGAIN: "raise the limit of processes (ulimit -u)",
    errno.ENOMEM: "give the job more memory",
    errno.ENFILE: "let the machine have more open files (sysctl fs.file-max)",
}
_LONGEST_MESSAGE = 10_000  # characters: of what is quoted in it each message bounds its own
_SPOILED = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def _with_dashes(argument: str) -> str:
    """Return ``--model_args=x_y`` as ``--model-args=x_y``: names with dashes and underscores are alike."""
    name, sign, value = argument.partition("=")
    return name.replace("_", "-") + sign + value if name.startswith("--") else argument


def main() -> None:
    """Run the command line and end the process with its exit status; SIGTERM stops it as Ctrl-C does."""
    interrupter = Interrupter()
    try:
        try:
            interrupter.listen()  # before the imports that take time
            open_missing_streams()
            _escape_what_streams_cannot_hold()
            status = _finish(list(map(_with_dashes, sys.argv[1:])))
        except Interruption:
            say_interrupted()
            status = STATUS
        finally:
            interrupter.close()
    except Interruption:  # the first signal, which came when all was done
        say_interrupted()
        status = STATUS
    sys.exit(status)


def _escape_what_streams_cannot_hold() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where it is closed
            stream.reconfigure(errors="backslashreplace")


def _finish(arguments: Sequence[str]) -> int:
    """Carry out a command and return its exit status; what went wrong has been said."""
    try:
        check_surroundings()
        return _run(arguments)
    except BrokenPipeError:
        _drop_what_cannot_be_printed()
        return 141
    except (TurnwiseError, OSError, MemoryError, RuntimeError) as error:
        said = _sentence_of(error)
        if said is None:
            raise
        print(f"turnwise: {_bounded(str(said))}", file=sys.stderr)
        _drop_what_cannot_be_printed()
        return said.exit_status


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]}... ({len(text)} characters)"


def _sentence_of(error: Exception) -> TurnwiseError | None:
    if isinstance(error, TurnwiseError):
        return error
    return error_of(error) if isinstance(error, OSError) else failure_of_machine(error)


def _drop_what_cannot_be_printed() -> None:
    """Let the interpreter not try once more at its end, which would say so and change the exit status."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def error_of(error: OSError) -> TurnwiseError:
    """Return what to say of a file or folder that cannot be had; a full or broken disk is the machine's failure."""
    what = error.strerror or str(error)
    what += f": {str(error.filename)!r}" if error.filename is not None else ""
    if error.errno in _LIMITED:
        return InfrastructureError(f"{what}: {_LIMITED[error.errno]}, then run the same line again.")
    if error.errno in _SPOILED:
        return InfrastructureError(f"{what}: make room (or mend the file system), then run the same line again.")
    if error.errno == errno.ENOSYS or (error.errno == errno.EPERM and error.filename is None):
        return InfrastructureError(
            f"{what}: the kernel or the container here refuses a system call that turnwise needs: take another, or "
            "let the container have more."
        )
    return TurnwiseError(f"{what}." if error.filename is None else f"{what}: mend that path, or name another.")


def _run(arguments: Sequence[str]) -> int:
    """Carry out a command and return its exit status; typer's own way of it would print its errors and end."""
    import typer

    from turnwise.cli.app import app
    from turnwise.cli.mistakes import UsageError, describe_mistake, is_help

    try:
        command = typer.main.get_command(app)
        with command.make_context("turnwise", list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as leaving:
        return leaving.exit_code
    except UsageError as error:
        if is_help(error):  # a command group without a command
            print(error.message, file=sys.stderr)
            return 2
        raise TurnwiseError(describe_mistake(error, arguments)) from None
    return 0
