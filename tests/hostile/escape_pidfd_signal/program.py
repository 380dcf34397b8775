# Signals the parent through a pidfd.
import os
import signal

try:
    signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGCONT)
    print("ESCAPED")
except OSError:
    print("denied")
