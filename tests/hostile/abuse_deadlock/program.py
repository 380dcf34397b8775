# Waits for a lock that it holds, with a thread that waits too.
import threading

lock = threading.Lock()
lock.acquire()
threading.Thread(target=lock.acquire).start()
lock.acquire()
