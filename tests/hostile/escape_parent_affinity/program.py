# Pins its parent to one processor.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 203, "aarch64": 122}[os.uname().machine]
mask = (ctypes.c_ulong * 1)(1)
result = libc.syscall(number, os.getppid(), ctypes.c_ulong(8), mask)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
