# Exchanges the root.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
result = libc.syscall(number, b".", b".")
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
