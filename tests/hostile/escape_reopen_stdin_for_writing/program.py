# Overwrites its own input through /proc.
import os

try:
    for path in ("/proc/self/fd/0", "/dev/stdin", "/dev/fd/0"):
        try:
            number = os.open(path, os.O_RDWR)
            os.pwrite(number, b"9999", 0)
            break
        except OSError:
            pass
    else:
        os.pwrite(0, b"9999", 0)
    print("ESCAPED")
except OSError:
    print("denied")
