# Wants to die by SIGKILL, as if the machine had failed, to be missing instead of wrong.
import ctypes
import os
import resource
import signal
import threading
import time

library = ctypes.CDLL(None)
library.syscall(62, os.getpid(), signal.SIGKILL)
library.syscall(234, os.getpid(), threading.get_native_id(), signal.SIGKILL)
library.syscall(200, os.getpid(), signal.SIGKILL)
for send in (os.kill, lambda pid, number: signal.pthread_kill(threading.get_ident(), number)):
    try:
        send(os.getpid(), signal.SIGKILL)
    except OSError:
        pass
library["raise"](signal.SIGKILL)
resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
end = time.process_time() + 1.5
while time.process_time() < end:
    pass
os._exit(7)
