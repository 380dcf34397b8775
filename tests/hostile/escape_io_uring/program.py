# Sets up an io_uring.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
number = 425  # on every machine
parameters = (ctypes.c_uint32 * 30)()
result = libc.syscall(number, 8, parameters)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
