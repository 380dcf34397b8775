"""The first code in a judged program's process: compiles the program, runs it or serves calls to it.

Run as a script by the path of this file, in any supported interpreter (syntax of Python 3.8, no import
of turnwise, few imports at all: they are paid by every test). Arguments: mode (stdin or call), descriptor
of the control socket, path of the program, and the limits memory bytes, file bytes, CPU seconds; for
calls then the entry point, the paths of values.py, the prelude and the arguments, and the name of the function of
values.py that writes results.

Protocol on the control socket, one JSON line each: the child says {"ready": CPU seconds so far} once the
program is compiled, or {"compile_error": text} and leaves. For calls it then loads the program, waits for a
token of 16 bytes, reads the arguments from their file, and answers with the token before {"value": tagged JSON}
or {"error": text}, again and again. In stdin mode the socket is closed before the program starts. It isolates
nothing; the hardened executor's sandbox uses its parts.
"""

import _thread
import os
import resource
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType, TracebackType
    from typing import Callable, Optional

NAME = "solution.py"
THREAD_STACK_BYTES = 8 << 20  # as where programs are written: the usual ulimit -s
ADDRESS_SPACE_SLACK_BYTES = 1 << 30  # a hundred such stacks; what is reserved is no memory
_STACK_ABOVE_MEMORY_BYTES = 64 << 20
CPU_SLACK_SECONDS = 8
TOKEN_BYTES = 16


def main() -> None:
    mode, descriptor, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    memory_bytes, file_bytes, cpu_seconds = map(int, sys.argv[4:7])
    apply_limits(memory_bytes, file_bytes, cpu_seconds)
    start_as_usual()
    # RLIMIT_STACK is large for deep recursion; threads would reserve as much each without this.
    _thread.stack_size(THREAD_STACK_BYTES)
    options = sys.argv[7:]
    with open(path, "rb") as file:
        source = file.read()
    prepare_interpreter(source, memory_bytes)
    try:
        code = compile_source(source)
    except BaseException as error:
        send(descriptor, {"compile_error": describe(error, source)})
        os._exit(0)
    if mode == "stdin":
        say_ready(descriptor)
        os.close(descriptor)
        run_program(code, source)
    else:
        entry_point, values_path, prelude_path, arguments_path, writer = options
        values = load_values(values_path)
        prelude = read_text(prelude_path)
        say_ready(descriptor)
        serve_calls(code, source, descriptor, entry_point, values, writer, prelude, lambda: read_text(arguments_path))


def compile_source(source: bytes) -> "CodeType":
    if b"coding" not in source[:200]:  # else the program names its own encoding
        source.decode("utf-8")
    return compile(source, NAME, "exec", dont_inherit=True)


def read_text(path: str) -> str:
    with open(path) as file:
        return file.read()


def say_ready(descriptor: int) -> None:
    os.write(descriptor, b'{"ready": %.6f}\n' % time.process_time())


def apply_limits(memory_bytes: int, file_bytes: int, cpu_seconds: int) -> None:
    with open("/proc/self/statm") as file:
        base = int(file.read().split()[0]) * resource.getpagesize()
    lower(resource.RLIMIT_AS, base + memory_bytes + ADDRESS_SPACE_SLACK_BYTES)
    lower(resource.RLIMIT_FSIZE, file_bytes)
    lower(resource.RLIMIT_CORE, 0)
    raise_soft_limits()
    if cpu_seconds:  # not for calls: one process serves many, each with the whole time limit
        lower(resource.RLIMIT_CPU, cpu_seconds + CPU_SLACK_SECONDS)


def raise_soft_limits() -> None:
    """Let no soft limit that somebody's shell set end a program; what programs may have is set by the problem."""
    for kind in (resource.RLIMIT_DATA, resource.RLIMIT_CPU):
        soft, hard = resource.getrlimit(kind)
        if soft != hard:
            resource.setrlimit(kind, (hard, hard))


def lower(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def prepare_interpreter(source: bytes, memory_bytes: int) -> None:
    sys.path[0] = os.getcwd()
    sys.argv[:] = [NAME]
    if b"stack_size" in source:
        bound_stacks(memory_bytes + _STACK_ABOVE_MEMORY_BYTES)
    if b"random" in source:  # the same program gets the same numbers in every run
        import random

        random.seed(0)
        numpy = sys.modules.get("numpy")
        if numpy is not None:
            numpy.random.seed(0)


def start_as_usual() -> None:
    """Let a program start as on a terminal, whatever ignores or blocks signals around the judge, and with its umask.

    nohup, a shell's background and batch systems do. Blocked stays what SLURM sends to all processes of a job.
    """
    import signal

    os.umask(0o022)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals() - {signal.SIGTERM, signal.SIGUSR2})

    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # Python itself ignores these
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def bound_stacks(most: int) -> None:
    """Let threads reserve ``most`` bytes where they ask for more, unseen: what they could use passes the memory limit.

    A stack of a gigabyte is a usual idiom, and reserving is all that most programs do with it.
    """
    import threading

    original, asked = _thread.stack_size, [0]

    def stack_size(size: int = 0) -> int:
        original(min(size, most))
        asked[:], before = [size], asked[0]
        return before

    _thread.stack_size = threading.stack_size = stack_size


def new_module(name: str) -> "ModuleType":
    module: ModuleType = type(sys)(name)
    module.__file__ = os.path.join(os.getcwd(), NAME)
    sys.modules[name] = module
    return module


def main_module() -> "ModuleType":
    """Return a new __main__ that holds the names which ``python3 solution.py`` gives it, in their order."""
    import builtins
    from importlib.machinery import SourceFileLoader

    module = new_module("__main__")
    path = module.__dict__.pop("__file__")
    module.__loader__ = SourceFileLoader("__main__", path)
    if sys.version_info < (3, 14):
        module.__annotations__ = {}
    module.__dict__.update(__builtins__=builtins, __file__=path, __cached__=None)
    return module


def run_program(code: "CodeType", source: bytes) -> None:
    try:
        exec(code, main_module().__dict__)
    except SystemExit:
        flush_streams()
        raise
    except BaseException as error:
        hand_over(error, source)
        raise
    flush_streams()


def flush_streams() -> None:
    """Do what Python does when a script's last line has run, before exit functions and threads."""
    for name in ("stderr", "stdout"):
        try:
            getattr(sys, name).flush()
        except BaseException:
            continue


def hand_over(error: BaseException, source: bytes) -> None:
    """Have Python end the process as it does for ``error``, which is to be raised next, and show it as ``report`` does.

    A hook of the program's own is called instead, and gets the program's own frames.
    """
    flush_streams()
    hook, frames = sys.__dict__.get("excepthook", sys.__excepthook__), own_frames(error)

    def show(kind: "object", value: BaseException, _: object) -> None:
        sys.excepthook = hook  # and nothing keeps the frames
        if hook is sys.__excepthook__:
            report(value, source)
        else:
            hook(kind, value.with_traceback(frames), frames)

    sys.excepthook = show


def report(error: BaseException, source: bytes) -> None:
    flush_streams()
    try:
        sys.stderr.write(describe(error, source))
        sys.stderr.flush()
    except BaseException:  # closed or replaced by the program: there is nowhere to say it
        return


def serve_calls(
    code: "CodeType",
    source: bytes,
    descriptor: int,
    entry_point: str,
    values: "ModuleType",
    writer: str,
    prelude: str,
    read_arguments: "Callable[[], str]",
) -> None:
    import json

    problem, module, dumps = None, new_module("solution"), getattr(values, writer)
    try:
        exec(compile(prelude, "<prelude>", "exec"), module.__dict__)
        exec(code, module.__dict__)
    except BaseException as error:
        problem = describe(error, source)
    while True:
        token = os.read(descriptor, TOKEN_BYTES)
        if not token:
            os._exit(0)
        if problem is not None:
            send(descriptor, {"error": problem}, token)
            continue
        arguments = values.loads(read_arguments())
        try:
            answer = '{"value": %s}' % dumps(find_function(module, entry_point)(*arguments))
        except BaseException as error:
            answer = json.dumps({"error": describe(error, source)})
        write_all(descriptor, token + answer.encode("ascii") + b"\n")


def find_function(module: "ModuleType", name: str) -> "Callable[..., object]":
    """Return the function, or that method of a fresh Solution: one call leaves nothing to the next."""
    found: Callable[..., object]
    if hasattr(module, name):
        found = getattr(module, name)
        return found
    if hasattr(module, "Solution") and hasattr(module.Solution, name):
        found = getattr(module.Solution(), name)
        return found
    raise NameError("the program defines no function %r" % name)


def load_values(path: str) -> "ModuleType":
    module = new_module("turnwise_values")
    exec(compile(read_text(path), path, "exec"), module.__dict__)
    return module


def describe(error: BaseException, source: bytes) -> str:
    """Return the traceback of ``error`` from the program's own first frame on."""
    import linecache
    import traceback

    text = source.decode("utf-8", "replace")
    linecache.cache[NAME] = (len(text), None, text.splitlines(True), NAME)
    try:
        return "".join(traceback.format_exception(type(error), error, own_frames(error)))
    except BaseException:
        return type(error).__name__ + ": (its message cannot be shown)\n"


def own_frames(error: BaseException) -> "Optional[TracebackType]":
    """Return the traceback of ``error`` from the program's own first frame on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != NAME:
        frames = frames.tb_next
    return frames


def send(descriptor: int, message: "dict[str, str]", token: bytes = b"") -> None:
    import json

    write_all(descriptor, token + json.dumps(message).encode("ascii") + b"\n")


def write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


if __name__ == "__main__":
    main()
