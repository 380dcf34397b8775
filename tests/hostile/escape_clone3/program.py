# Clones by the newest call, with a new user namespace.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
number = 435  # on every machine
arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
result = libc.syscall(number, arguments, 88)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
