# Searches the memory above its environment for what was scrubbed.
import ctypes

libc = ctypes.CDLL(None)
block = ctypes.POINTER(ctypes.c_void_p).in_dll(libc, "environ")
found = b""
for index in range(64):
    if not block or not block[index]:
        break
    found += ctypes.string_at(block[index])
name = ctypes.c_char_p.in_dll(libc, "program_invocation_name").value or b""
print("ESCAPED" if b"secret-" in found + name else "denied")
