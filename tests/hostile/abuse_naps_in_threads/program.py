# Lets hundreds of threads wake all the time, so that some always wait for a core, and little is computed.
import ctypes
import threading
import time

usleep = ctypes.CDLL(None).usleep


def nap():
    while True:
        usleep(2000)


for _ in range(400):
    try:
        threading.Thread(target=nap, daemon=True).start()
    except RuntimeError:
        break
time.sleep(1000)
print(1)
