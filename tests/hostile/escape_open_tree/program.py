# Clones the mounted tree.
import ctypes

libc = ctypes.CDLL(None, use_errno=True)
number = 428  # on every machine
result = libc.syscall(number, -100, b"/", 1)
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
