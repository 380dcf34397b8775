# Asks whether it may signal every process.
import os

try:
    os.kill(-1, 0)
    print("ESCAPED")
except OSError:
    print("denied")
