# Counts with threads under the locks of multiprocessing.
import multiprocessing
import threading

total = multiprocessing.Value("i", 0)
queue = multiprocessing.Queue()
gate = multiprocessing.Semaphore(2)


def count():
    for _ in range(100):
        with gate, total.get_lock():
            total.value += 1
    queue.put(1)


threads = [threading.Thread(target=count) for _ in range(3)]
for thread in threads:
    thread.start()
done = sum(queue.get() for _ in threads)
print("ok" if (total.value, done) == (300, 3) else "no")
