"""The first code in a judged program's process: compiles the program, runs it or serves calls to it.

Run as a script by the path of this file, in any supported interpreter (syntax of Python 3.8, no import
of turnwise). Arguments: mode (stdin or call), descriptor of the control socket, path of the program,
JSON settings {values, entry_point, prelude_path, arguments, memory_bytes, file_bytes, cpu_seconds}.

Protocol on the control socket, one JSON line each: the child says {"ready": CPU seconds so far} once the
program is compiled (for calls: loaded), or {"compile_error": text} and leaves. For calls it then waits
for one byte, reads the arguments from their file, and answers {"value": tagged JSON} or {"error": text}.
In stdin mode the socket is closed before the program starts. It does not isolate anything.
"""

import json
import linecache
import os
import random
import resource
import socket
import sys
import threading
import time
import traceback
import types

NAME = "solution.py"
THREAD_STACK_BYTES = 64 << 20
ADDRESS_SPACE_SLACK_BYTES = 600 << 20
CPU_SLACK_SECONDS = 8


def main():
    mode, descriptor, path, settings = sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
    control = socket.socket(fileno=descriptor)
    with open(path, "rb") as file:
        source = file.read()
    apply_limits(settings)
    prepare_interpreter(source)
    try:
        code = compile(source, NAME, "exec", dont_inherit=True)
    except BaseException as error:
        send(control, {"compile_error": describe(error)})
        os._exit(0)
    if mode == "stdin":
        run_program(code, control)
    else:
        serve_calls(code, control, settings)


def apply_limits(settings):
    with open("/proc/self/statm") as file:
        base = int(file.read().split()[0]) * resource.getpagesize()
    space = base + settings["memory_bytes"] + ADDRESS_SPACE_SLACK_BYTES
    lower(resource.RLIMIT_AS, space)
    lower(resource.RLIMIT_FSIZE, settings["file_bytes"])
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_CPU, int(settings["cpu_seconds"]) + CPU_SLACK_SECONDS)


def lower(kind, value):
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def prepare_interpreter(source):
    sys.path[0] = os.getcwd()
    sys.argv[:] = [NAME]
    random.seed(0)
    # RLIMIT_STACK is large for deep recursion; threads would reserve as much each without this.
    threading.stack_size(THREAD_STACK_BYTES)
    text = source.decode("utf-8", "replace")
    linecache.cache[NAME] = (len(text), None, text.splitlines(True), NAME)


def run_program(code, control):
    module = types.ModuleType("__main__")
    module.__file__ = NAME
    sys.modules["__main__"] = module
    send(control, {"ready": time.process_time()})
    control.close()
    try:
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        sys.stdout.flush()
        sys.stderr.write(describe(error))
        sys.stderr.flush()
        sys.exit(1)


def serve_calls(code, control, settings):
    values = load_values(settings["values"])
    send(control, {"ready": time.process_time()})
    problem, module = None, types.ModuleType("solution")
    module.__file__ = NAME
    sys.modules["solution"] = module
    try:
        with open(settings["prelude_path"]) as file:
            exec(compile(file.read(), "<prelude>", "exec"), module.__dict__)
        exec(code, module.__dict__)
    except BaseException as error:
        problem = describe(error)
    while control.recv(1):
        if problem is not None:
            send(control, {"error": problem})
            continue
        with open(settings["arguments"]) as file:
            arguments = values.loads(file.read())
        try:
            answer = {"value": values.encode(find_function(module, settings["entry_point"])(*arguments))}
        except BaseException as error:
            answer = {"error": describe(error)}
        send(control, answer)
    os._exit(0)


def find_function(module, name):
    """Return the function, or that method of a fresh Solution: one call leaves nothing to the next."""
    if hasattr(module, name):
        return getattr(module, name)
    if hasattr(module, "Solution") and hasattr(module.Solution, name):
        return getattr(module.Solution(), name)
    raise NameError("the program defines no function %r" % name)


def load_values(path):
    module = types.ModuleType("turnwise_values")
    sys.modules[module.__name__] = module
    with open(path) as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)
    return module


def describe(error):
    """Return the traceback of ``error`` from the program's own first frame on."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename != NAME:
        frames = frames.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, frames))
    except BaseException:
        return type(error).__name__ + ": (its message cannot be shown)\n"


def send(control, message):
    control.sendall(json.dumps(message).encode("ascii") + b"\n")


if __name__ == "__main__":
    main()
