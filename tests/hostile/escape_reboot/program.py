# Asks for a restart, with numbers that would not do it.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 169, "aarch64": 142}[os.uname().machine]
result = libc.syscall(number, 0, 0, 0, None)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
