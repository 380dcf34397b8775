# Ends its first thread by the system call while another one sleeps.
import ctypes
import os
import threading
import time


def work():
    time.sleep(3600)


threading.Thread(target=work).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
