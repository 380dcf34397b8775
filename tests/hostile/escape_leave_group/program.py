# Makes a session or a group of its own.
import os

try:
    os.setsid()
    print("ESCAPED")
except OSError:
    print("denied")
