# Sends the named process a harmless signal.
import os
import signal

try:
    os.kill(int(input()), signal.SIGCONT)
    print("ESCAPED")
except OSError:
    print("denied")
