# Raises SIGXCPU itself.
import ctypes
import os

print(1, flush=True)
ctypes.CDLL(None)["raise"](24)
os._exit(7)
