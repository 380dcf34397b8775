# Closes its channel and stays, or dies by SIGKILL, as if the machine had failed.
import os
import signal
import time


def f(x):
    try:
        os.kill(os.getpid(), signal.SIGKILL)
    except OSError:
        pass
    os.closerange(3, 256)
    time.sleep(60)
