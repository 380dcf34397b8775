# Truncates the named file.
import os

try:
    os.truncate(input(), 0)
    print("ESCAPED")
except OSError:
    print("denied")
