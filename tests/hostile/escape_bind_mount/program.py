# Remounts the root for writing.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 165, "aarch64": 40}[os.uname().machine]
result = libc.syscall(number, None, b"/", None, ctypes.c_ulong(32 | 4096), None)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
