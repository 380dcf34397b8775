# Writes an entry of the local descriptor table.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = 154 if os.uname().machine == "x86_64" else 9999  # only x86-64 has it
entry = (ctypes.c_uint32 * 4)(0, 0, 0xFFFFF, 0x51)
result = libc.syscall(number, 1, entry, 16)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
