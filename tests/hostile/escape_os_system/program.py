# Runs a shell command that would leave a file.
import os

try:
    if os.system("echo hostile > /tmp/hostile-shell") != 0:
        raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
