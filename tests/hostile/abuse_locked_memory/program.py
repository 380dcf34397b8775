# Locks everything it has.
import ctypes

libc = ctypes.CDLL(None)
libc.mlockall(3)
values = bytearray(b"1") * 300_000_000
print(1)
