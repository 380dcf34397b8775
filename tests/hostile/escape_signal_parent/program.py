# Asks whether it may signal its parent.
import os

try:
    os.kill(os.getppid(), 0)
    print("ESCAPED")
except OSError:
    print("denied")
