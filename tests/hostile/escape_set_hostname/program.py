# Names the machine as it is named.
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
number = {"x86_64": 170, "aarch64": 161}[os.uname().machine]
name = os.uname().nodename.encode()
result = libc.syscall(number, name, len(name))
error = ctypes.get_errno()
print("denied" if result == -1 and error in (1, 13, 38) else f"ESCAPED {result} {error}")
