# Reads the named file through a link of its own.
import os

try:
    os.symlink(input(), "hostile-link")
    print(open("hostile-link").read())
    print("ESCAPED")
except OSError:
    print("denied")
