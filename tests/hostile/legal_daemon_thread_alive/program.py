# Ends while a daemon thread is busy.
import threading
import time


def spin():
    while True:
        time.sleep(0.001)


threading.Thread(target=spin, daemon=True).start()
print(2 * int(input()))
