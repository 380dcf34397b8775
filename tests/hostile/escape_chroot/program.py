# Changes the root to climb out of it.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 161, "aarch64": 51}[os.uname().machine]
result = libc.syscall(number, b"/usr")
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
