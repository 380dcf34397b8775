# Allocates in several threads.
import threading

kept = []
threads = [threading.Thread(target=lambda: kept.append(bytearray(b"1") * 60_000_000)) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(kept) // 6)
