# Forks a shell on a pseudo-terminal.
import os
import pty

try:
    process, number = pty.fork()
    if process == 0:
        os._exit(0)
    print("ESCAPED")
except OSError:
    print("denied")
