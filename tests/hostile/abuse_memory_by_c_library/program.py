# Allocates by malloc.
import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
for _ in range(400):
    address = libc.malloc(1_000_000)
    if not address:
        raise MemoryError
    ctypes.memset(address, 1, 1_000_000)
print(1)
