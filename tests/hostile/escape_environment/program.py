# Prints every environment that it can find.
import ctypes
import os

found = [*os.environ.values()]
block = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
index = 0
while block and block[index]:
    found.append(block[index].decode("latin-1"))
    index += 1
for name in ("self", str(os.getppid()), "1"):
    try:
        found.append(open(f"/proc/{name}/environ").read())
    except OSError:
        pass
print("ESCAPED" if "secret-" in "".join(found) else "denied")
