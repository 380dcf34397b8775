# Replaces itself by a fresh interpreter.
import os
import sys

try:
    os.execv(sys.executable, [sys.executable, "-c", "print('ESCAPED')"])
    print("ESCAPED")
except OSError:
    print("denied")
