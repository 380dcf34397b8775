# Asks for real-time scheduling.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 144, "aarch64": 119}[os.uname().machine]
priority = (ctypes.c_int * 1)(50)
result = libc.syscall(number, 0, 1, priority)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
