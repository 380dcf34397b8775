# Reloads os and posix, then starts a shell.
import importlib
import os

try:
    import posix

    posix = importlib.reload(posix)
    os = importlib.reload(os)
    if posix.system("true") != 0 and os.system("true") != 0:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
