# Creates an eBPF map.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
attributes = (ctypes.c_uint32 * 16)(1, 4, 4, 1)
result = libc.syscall(number, 0, attributes, 64)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
