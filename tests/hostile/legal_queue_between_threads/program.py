# Passes numbers between two threads.
import queue
import threading

numbers, total = queue.Queue(), []


def consume():
    while (number := numbers.get()) is not None:
        total.append(number)


thread = threading.Thread(target=consume)
thread.start()
for word in input().split():
    numbers.put(int(word))
numbers.put(None)
thread.join()
print(sum(total))
