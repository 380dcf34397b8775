# Maps over threads.
from multiprocessing.pool import ThreadPool

with ThreadPool(8) as pool:
    print("ok" if pool.map(abs, range(-50, 0)) == list(range(50, 0, -1)) else "no")
