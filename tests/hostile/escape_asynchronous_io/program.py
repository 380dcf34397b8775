# Sets up an asynchronous I/O context.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 206, "aarch64": 0}[os.uname().machine]
context = (ctypes.c_ulong * 1)()
result = libc.syscall(number, 8, context)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
