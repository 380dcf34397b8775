# Enters the namespaces of its parent and of process 1.
import os

try:
    import ctypes

    libc = ctypes.CDLL(None)
    for name in (os.getppid(), 1):
        for kind in ("mnt", "net", "pid", "user"):
            number = os.open(f"/proc/{name}/ns/{kind}", os.O_RDONLY)
            if libc.setns(number, 0) == 0:
                print("ESCAPED", kind)
    raise OSError
    print("ESCAPED")
except OSError:
    print("denied")
