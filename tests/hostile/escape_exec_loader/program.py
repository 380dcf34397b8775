# Starts a program through the loader.
import os

try:
    for loader in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"):
        try:
            os.execv(loader, [loader, "/bin/echo", "ESCAPED"])
        except OSError:
            pass
    raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
