# Asks to be traced by its parent.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
result = libc.syscall(number, ctypes.c_ulong(0), 0, None, None)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
