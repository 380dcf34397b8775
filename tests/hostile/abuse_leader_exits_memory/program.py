# Ends its first thread by the system call while another one takes memory.
import ctypes
import os
import threading
import time


def work():
    time.sleep(0.05)
    values = bytearray(b"1") * 400_000_000
    os.write(1, b"1")
    os._exit(0)


threading.Thread(target=work).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
