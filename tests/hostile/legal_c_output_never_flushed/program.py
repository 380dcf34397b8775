# Prints by the C library alone.
import ctypes

ctypes.CDLL(None).printf(b"%s\n", b"ok")
