# Copies descriptors of its parent and of the judge by pidfd_getfd.
import ctypes
import os

libc, got = ctypes.CDLL(None, use_errno=True), []
for process in (os.getppid(), int(input()), 1):
    pidfd = libc.syscall(434, process, 0)
    for number in range(64):
        if pidfd >= 0 and libc.syscall(438, pidfd, number, 0) >= 0:
            got.append((process, number))
print(f"ESCAPED {got}" if got else "denied")
