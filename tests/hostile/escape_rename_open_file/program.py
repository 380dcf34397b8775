# Moves the named file.
import os

try:
    path = input()
    os.rename(path, path + ".hostile")
    print("ESCAPED")
except OSError:
    print("denied")
