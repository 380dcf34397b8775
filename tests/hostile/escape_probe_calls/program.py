# Calls uretprobe and uprobe, which newer kernels answer past every filter.
import ctypes
import platform

library = ctypes.CDLL(None, use_errno=True)
print("denied", flush=True)
if platform.machine() == "x86_64":
    for number in (336, 335):
        if library.syscall(number) != -1:
            print("ESCAPED", flush=True)
