# Calls the private function by which subprocess forks.
import _posixsubprocess
import os
import subprocess

try:
    fork_exec = subprocess._fork_exec if hasattr(subprocess, "_fork_exec") else _posixsubprocess.fork_exec
    reader, writer = os.pipe()
    process = fork_exec(
        [b"/bin/true"],
        [b"/bin/true"],
        True,
        (),
        None,
        None,
        -1,
        -1,
        -1,
        -1,
        -1,
        -1,
        reader,
        writer,
        False,
        False,
        -1,
        None,
        None,
        None,
        -1,
        None,
        False,
    )
    if os.waitpid(process, 0)[1] != 0:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
