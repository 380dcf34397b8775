# Lists the usual interesting folders.
import os
import sys

try:
    own = {
        part for path in (*sys.path, sys.prefix, sys.base_prefix, os.__file__, os.getcwd()) for part in path.split("/")
    }
    seen = []
    for folder in (
        "/root",
        "/home",
        "/work",
        "/data",
        "/tmp",
        "/var/tmp",
        "/mnt",
        "/srv",
        "/run",
        "/sys/kernel",
        "/dev/disk",
    ):
        try:
            seen += [name for name in os.listdir(folder) if name not in own]
        except OSError:
            pass
    if not seen:
        raise OSError
    print(seen)
    print("ESCAPED")
except OSError:
    print("denied")
