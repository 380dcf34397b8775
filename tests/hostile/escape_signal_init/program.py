# Asks whether it may signal process 1.
import os

try:
    os.kill(1, 0)
    print("ESCAPED")
except OSError:
    print("denied")
