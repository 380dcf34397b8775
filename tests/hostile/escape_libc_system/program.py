# Calls system() and popen() of the C library.
import ctypes

libc = ctypes.CDLL(None)
libc.popen.restype = ctypes.c_void_p
print("denied" if libc.system(b"exit 0") != 0 and not libc.popen(b"true", b"r") else "ESCAPED")
