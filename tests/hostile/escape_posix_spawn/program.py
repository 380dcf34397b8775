# Spawns a shell.
import os

try:
    process = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 0"], {})
    if os.waitpid(process, 0)[1] != 0:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
