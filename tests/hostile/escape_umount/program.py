# Unmounts the temporary folder.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 166, "aarch64": 39}[os.uname().machine]
result = libc.syscall(number, b"/tmp", 2)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
