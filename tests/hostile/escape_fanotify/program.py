# Opens a fanotify group.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 300, "aarch64": 262}[os.uname().machine]
result = libc.syscall(number, 0, 0)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
