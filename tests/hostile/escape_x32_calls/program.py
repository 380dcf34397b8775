# Asks for the process id by the x32 number.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = 0x40000027 if os.uname().machine == "x86_64" else 9999  # only x86-64 has it
result = libc.syscall(number)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
