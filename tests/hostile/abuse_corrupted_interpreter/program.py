# Writes over its own type objects.
import ctypes

ctypes.memset(id(type), 0x41, 400)
ctypes.memset(id(int), 0x41, 400)
print(1 + 1)
