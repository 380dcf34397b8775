# Reads the kernel's log.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 103, "aarch64": 116}[os.uname().machine]
buffer = ctypes.create_string_buffer(4096)
result = libc.syscall(number, 3, buffer, 4096)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
