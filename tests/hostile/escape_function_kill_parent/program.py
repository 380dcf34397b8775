# Kills the process that watches it.
import os
import signal


def f(x):
    try:
        if os.getppid() < 1:
            raise OSError
        os.kill(os.getppid(), signal.SIGKILL)
        return "ESCAPED"
    except OSError:
        return "denied"
