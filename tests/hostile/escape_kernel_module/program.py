# Loads an empty module.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 175, "aarch64": 105}[os.uname().machine]
result = libc.syscall(number, b"", ctypes.c_ulong(0), b"")
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
