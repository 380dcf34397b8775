"""The files of a worker: stdin, stdout, stderr, what a call is given, and the program's source.

They are the descriptors 0 to 3 of the zygote and its runners, for good; stdin and the arguments can only be
read there. The judge gets them with the right to write, empties and fills them between runs. With a mount
namespace the first three also stand in /dev under their usual names; no other name leads to any of them.
The source is the one file with a name in the working folder, where no process of the sandbox may write; programs
that have a folder to write in get a copy there from the judge instead.
"""

import os

from turnwise.runners.execution import child

STDIN, STDOUT, STDERR, ARGUMENTS = 0, 1, 2, 3
NAMED = ("stdin", "stdout", "stderr")


def make_source(folder: str) -> int:
    """Make the file of the source in ``folder`` and return its descriptor for the judge."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(os.path.join(folder, child.NAME), flags, 0o600)
    os.fchmod(descriptor, 0o444)
    return descriptor


def make_files(folder: str) -> "list[int]":
    """Take the descriptors 0 to 3, which must be taken already, and return those for the judge.

    The files with a name are made in ``folder``; without one they get none either.
    """
    for_judge = []
    for number, name in enumerate((*NAMED, "arguments")):
        if folder and name in NAMED:
            descriptor = os.open(os.path.join(folder, name), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        else:
            descriptor = os.memfd_create(name, os.MFD_CLOEXEC)
        if number in (STDIN, ARGUMENTS):
            reading = os.open("/proc/self/fd/%d" % descriptor, os.O_RDONLY)
            os.dup2(reading, number)
            os.close(reading)
        else:
            os.dup2(descriptor, number)
        # Whoever could open one again by /proc may read stdin and write the output, no more.
        os.fchmod(descriptor, 0o444 if number in (STDIN, ARGUMENTS) else 0o666)
        for_judge.append(descriptor)
    return for_judge
