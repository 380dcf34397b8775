# Spoils its streams in every way that could outlive the process.
import fcntl
import os

line = os.read(0, 100)
print("fresh" if line in (b"1\n", b"2\n", b"3\n") else "ESCAPED", flush=True)
for number in (0, 1, 2):
    for command, value in (
        (1033, 2 | 4 | 8),
        (fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK),
        (fcntl.F_SETFL, os.O_APPEND | os.O_DIRECT),
        (fcntl.F_SETLEASE, 1),
    ):
        try:
            fcntl.fcntl(number, command, value)
        except OSError:
            pass
    for spoil in (lambda: fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB), lambda: os.lseek(number, 1 << 20, 0)):
        try:
            spoil()
        except OSError:
            pass
