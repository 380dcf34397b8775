# Writes the parent's None over with itself.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 311, "aarch64": 271}[os.uname().machine]
local = (ctypes.c_size_t * 2)(id(None) + 8, 8)
remote = (ctypes.c_size_t * 2)(id(None) + 8, 8)
result = libc.syscall(number, os.getppid(), local, ctypes.c_ulong(1), remote, ctypes.c_ulong(1), ctypes.c_ulong(0))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
