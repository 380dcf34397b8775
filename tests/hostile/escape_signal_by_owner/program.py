# Makes the parent the owner of a pipe that raises SIGIO.
import fcntl
import os
import signal

try:
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, os.getppid())
    fcntl.fcntl(reader, 10, signal.SIGKILL)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writer, b"x")
    print("ESCAPED")
except OSError:
    print("denied")
