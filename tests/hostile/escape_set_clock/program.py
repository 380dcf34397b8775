# Sets the clock to what it shows.
import ctypes
import os
import time

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 227, "aarch64": 112}[os.uname().machine]
now = (ctypes.c_long * 2)(int(time.time()), 0)
result = libc.syscall(number, 0, now)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
