# Asks for all ports.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = 172 if os.uname().machine == "x86_64" else 9999  # only x86-64 has it
result = libc.syscall(number, 3)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
