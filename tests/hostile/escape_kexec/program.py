# Loads no segments as a new kernel.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 246, "aarch64": 104}[os.uname().machine]
result = libc.syscall(number, ctypes.c_ulong(0), ctypes.c_ulong(0), None, ctypes.c_ulong(1 << 20))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
