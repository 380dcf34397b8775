# Hashes in four threads without the interpreter's lock.
import hashlib
import threading

data = bytes(1 << 20)


def burn():
    while True:
        hashlib.sha256(data).digest()


for _ in range(4):
    threading.Thread(target=burn).start()
print(1)
