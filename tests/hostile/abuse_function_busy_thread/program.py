# Leaves the work to a thread.
import threading


def burn():
    while True:
        pass


def f(x):
    threading.Thread(target=burn).start()
    threading.Event().wait()
