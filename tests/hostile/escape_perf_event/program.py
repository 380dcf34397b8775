# Opens a performance counter.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 298, "aarch64": 241}[os.uname().machine]
attributes = (ctypes.c_uint32 * 32)(1, 128)
result = libc.syscall(number, attributes, 0, ctypes.c_int(-1), ctypes.c_int(-1), ctypes.c_ulong(0))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
