# Compares its files with its parent's.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 312, "aarch64": 272}[os.uname().machine]
result = libc.syscall(number, os.getpid(), os.getppid(), 2, ctypes.c_ulong(0), ctypes.c_ulong(0))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
