# Changes the niceness of its parent.
import os

try:
    os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)
    print("ESCAPED")
except OSError:
    print("denied")
