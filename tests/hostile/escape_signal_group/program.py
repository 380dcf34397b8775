# Asks whether it may signal its group.
import os

try:
    os.kill(0, 0)
    print("ESCAPED")
except OSError:
    print("denied")
