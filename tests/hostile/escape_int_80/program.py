# Runs machine code that makes a 32-bit system call.
import ctypes
import mmap
import os

if os.uname().machine != "x86_64":
    print("denied")
    raise SystemExit
try:
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
    print("ESCAPED" if result == os.getpid() else "denied")
except OSError:
    print("denied")
