# Opens a file system context.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
number = 430  # on every machine
result = libc.syscall(number, b"tmpfs", 0)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
