# Adds a key to the session's keyring.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 248, "aarch64": 217}[os.uname().machine]
result = libc.syscall(number, b"user", b"hostile", b"secret", 6, ctypes.c_int(-3))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
