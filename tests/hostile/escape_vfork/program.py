# Makes a process by clone with the flags of vfork.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
result = libc.syscall(number, ctypes.c_ulong(0x4000 | 17), None, None, None, None)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
