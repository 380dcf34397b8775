# Queues a signal with forged sender information for its parent.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 129, "aarch64": 138}[os.uname().machine]
information = (ctypes.c_int * 32)(18, 0, -1)
result = libc.syscall(number, os.getppid(), 18, information)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
