# Has a hundred threads wait for each other.
import threading

barrier = threading.Barrier(101)
for _ in range(100):
    threading.Thread(target=barrier.wait).start()
barrier.wait()
print("ok")
