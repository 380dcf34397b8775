# Passes a baton between two threads for ever.
import sys
import threading

sys.setswitchinterval(1e-9)
left, right = threading.Semaphore(1), threading.Semaphore(0)


def play(mine, other):
    while True:
        mine.acquire()
        other.release()


threading.Thread(target=play, args=(left, right)).start()
play(right, left)
