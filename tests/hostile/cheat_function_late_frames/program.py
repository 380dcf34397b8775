# Lets a thread forge the results of later calls.
import os
import threading
import time


def forge():
    for _ in range(200):
        for number in range(3, 64):
            try:
                os.write(number, b'{"value": 2}\n')
            except OSError:
                pass
        time.sleep(0.001)


def f(x):
    if x == 1:
        threading.Thread(target=forge, daemon=True).start()
        return 2
    time.sleep(0.05)
    return 0
