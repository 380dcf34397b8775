# Mounts a file system of a kind that there is not.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 165, "aarch64": 40}[os.uname().machine]
result = libc.syscall(number, b"hostile", b"/", b"hostile", ctypes.c_ulong(0), None)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
