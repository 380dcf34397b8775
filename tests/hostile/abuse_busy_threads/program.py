# Burns time in a thread that is not the main one.
import threading


def burn():
    while True:
        pass


for _ in range(3):
    threading.Thread(target=burn).start()
print(1)
