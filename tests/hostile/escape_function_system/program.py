# Runs a shell command that would leave a file.
import os


def f(x):
    try:
        if os.system("echo hostile > /tmp/hostile-shell") != 0:
            raise OSError
        return "ESCAPED"
    except OSError:
        return "denied"
