# Sets the file size limit of its parent.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 302, "aarch64": 261}[os.uname().machine]
limits = (ctypes.c_uint64 * 2)(4096, 4096)
result = libc.syscall(number, os.getppid(), 1, limits, None)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
