# Makes itself dumpable.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 157, "aarch64": 167}[os.uname().machine]
result = libc.syscall(number, 4, ctypes.c_ulong(1), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
