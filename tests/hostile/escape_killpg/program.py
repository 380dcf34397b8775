# Signals the groups of its parent and of itself.
import os

try:
    for group in {os.getpgid(0), os.getpgid(os.getppid())}:
        os.killpg(group, 0)
    print("ESCAPED")
except OSError:
    print("denied")
