# Raises SIGSYS itself.
import ctypes
import os

print(1, flush=True)
ctypes.CDLL(None)["raise"](31)
os._exit(7)
