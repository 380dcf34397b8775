# Removes the named file.
import os

try:
    os.unlink(input())
    print("ESCAPED")
except OSError:
    print("denied")
