# Links the named file into the working folder.
import os

try:
    os.link(input(), "hostile-link")
    print("ESCAPED")
except OSError:
    print("denied")
