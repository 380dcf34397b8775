# Unshares the process namespace.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 272, "aarch64": 97}[os.uname().machine]
result = libc.syscall(number, ctypes.c_ulong(0x20000000))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
