# Installs a filter that notifies a descriptor.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
instructions = (ctypes.c_uint64 * 1)(0x7FFF000000000006)
program = (ctypes.c_size_t * 2)(1, ctypes.addressof(instructions))
result = libc.syscall(number, 1, ctypes.c_ulong(8), program)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
