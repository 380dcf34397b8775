# Burns time after it has answered.
import threading


def burn():
    while True:
        pass


def f(x):
    if x == 1:
        threading.Thread(target=burn, daemon=True).start()
        return 1
    threading.Event().wait()
