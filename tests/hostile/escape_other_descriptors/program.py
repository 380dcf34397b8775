# Looks for sockets, pipes, folders and files that are not empty among its descriptors.
import fcntl
import os
import stat

try:
    odd = []
    for number in range(3, 1024):
        try:
            facts = os.fstat(number)
            writable = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY
        except OSError:
            continue
        if not stat.S_ISREG(facts.st_mode) or facts.st_size or writable:
            odd.append((number, oct(facts.st_mode), facts.st_size))
    if not odd:
        raise OSError
    print(odd)
    print("ESCAPED")
except OSError:
    print("denied")
