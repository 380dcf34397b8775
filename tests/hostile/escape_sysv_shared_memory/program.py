# Makes a segment that would outlive it.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 29, "aarch64": 194}[os.uname().machine]
result = libc.syscall(number, 0x68737401, 4096, 0o1666)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
