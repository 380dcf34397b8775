# Opens a file by a guessed handle.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 304, "aarch64": 265}[os.uname().machine]
handle = (ctypes.c_uint32 * 8)(8, 1, 2, 0)
result = libc.syscall(number, ctypes.c_int(-100), handle, 0)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
